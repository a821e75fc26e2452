import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export interface LoopbackRegistry extends AsyncDisposable {
  /** Such as `127.0.0.1:40123`. */
  readonly host: string;
}

/** Starts Debian's docker-registry on a free loopback port, with its data in `folder`. */
export async function startLoopbackRegistry(folder: string): Promise<LoopbackRegistry> {
  mkdirSync(join(folder, 'data'), { recursive: true });
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'config.json');
  const settings = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
  };
  // JSON is YAML, too.
  writeFileSync(config, JSON.stringify(settings));
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'ignore'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await answered(`http://${host}/v2/`, 10_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, [Symbol.asyncDispose]: stop };
}

async function answered(url: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not answer within ${timeoutMs} ms`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** registries.conf with a loopback registry as the mirror of docker.io; `registry.example` is pushed there, too. */
export function mirrorConfig(host: string): string {
  const mirror = (prefix: string) =>
    `[[registry]]\nprefix = "${prefix}"\nlocation = "${host}"\ninsecure = true\n`;
  return [mirror('docker.io'), mirror('registry.example')].join('\n');
}
