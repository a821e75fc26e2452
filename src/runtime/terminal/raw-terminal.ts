import { spawnSync } from 'node:child_process';
import { exited, spawnTool } from '../../system/process/spawn.ts';
import { toolEnvironment } from '../launch/tool-environment.ts';

/**
 * Hands the terminal on our standard input over to a container: every byte passes as it is, both ways, until disposed
 * or until we exit. By stty(1), since Node's raw mode still changes what is printed (it keeps ONLCR).
 */
export async function rawTerminal(): Promise<AsyncDisposable> {
  const { stdout: saved } = spawnSync('stty', ['-g'], {
    stdio: ['inherit', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  const restore = () => void spawnSync('stty', [saved.trim()], { stdio: ['inherit', 'ignore', 'ignore'] });
  process.on('exit', restore);
  const child = spawnTool('stty', ['raw', '-echo'], ['inherit', 'ignore', 'ignore'], {
    env: toolEnvironment(),
  });
  await exited(child, 'stty');
  return {
    [Symbol.asyncDispose]: async () => {
      process.off('exit', restore);
      restore();
    },
  };
}
