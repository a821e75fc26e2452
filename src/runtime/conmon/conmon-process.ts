import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { OcitsError } from '../../errors.ts';
import { inheritedFds } from '../../system/process/inherited-fds.ts';
import { exited, spawnTool } from '../../system/process/spawn.ts';
import type { LaunchCommand } from '../launch/launcher.ts';
import { toolEnvironment } from '../launch/tool-environment.ts';

/** The descriptor on which conmon tells the process ID. */
const SYNC_FD = 3;

/**
 * Starts conmon, and gives the ID of the process that it watches. conmon puts itself in the background once crun has
 * made that process. What is said on standard error goes to the end of `errorFile`. Throws `tool-failed` with crun's
 * message.
 */
export async function spawnConmon(command: LaunchCommand, errorFile: string): Promise<number> {
  const errors = openSync(errorFile, 'a', 0o600);
  const nullFd = openSync('/dev/null', 'r+');
  const fds: ('pipe' | 'ignore' | number)[] = [nullFd, nullFd, errors, 'pipe'];
  for (const fd of inheritedFds()) if (fd > SYNC_FD) fds[fd] = nullFd;
  for (let fd = SYNC_FD; fd < fds.length; fd++) fds[fd] ??= 'ignore';
  const env = { ...toolEnvironment(), _OCI_SYNCPIPE: String(SYNC_FD) };
  const child = spawnTool(command.program, command.args, fds, { env, detached: true });
  closeSync(errors);
  closeSync(nullFd);
  const exit = exited(child, command.program);
  exit.catch(() => {});
  const answer = await firstLine(child.stdio[SYNC_FD] as Readable);
  const { code, signal } = await exit;
  const { data, message } = parseAnswer(answer);
  if (data > 0) return data;
  throw new OcitsError('tool-failed', message ?? `conmon ended with ${code ?? signal} and said nothing`);
}

/** conmon keeps its end open, so the end of the stream is not waited for. */
async function firstLine(stream: Readable): Promise<string> {
  let answer = '';
  for await (const chunk of stream) {
    answer += String(chunk);
    if (answer.includes('\n')) break;
  }
  return answer.split('\n')[0] ?? '';
}

/** conmon's answer on its sync pipe: `data` is the process ID, or negative with crun's message. */
function parseAnswer(answer: string): { readonly data: number; readonly message?: string | undefined } {
  try {
    const { data, message } = JSON.parse(answer) as {
      data?: number | undefined;
      message?: string | undefined;
    };
    return { data: data ?? -1, message: message?.trim() };
  } catch {
    return { data: -1 };
  }
}
