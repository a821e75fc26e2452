import { watch } from 'node:fs';
import { join } from 'node:path';
import { textIfThereSync } from '../../system/file/if-there.ts';
import { RUNTIME_PID_FILE } from './records.ts';

/** Waits for the process ID that crun writes once a container is made; dispose it when it is waited for no more. */
export interface RuntimePidWatch extends Disposable {
  readonly pid: Promise<number>;
}

/** To be called before crun starts. `folder` is the container's. */
export function watchRuntimePid(folder: string): RuntimePidWatch {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  promise.catch(() => {});
  const watcher = watch(folder, (_event, name) => {
    if (name !== RUNTIME_PID_FILE) return;
    const pid = readRuntimePid(folder);
    if (pid !== undefined) resolve(pid);
  });
  watcher.once('error', reject);
  return { pid: promise, [Symbol.dispose]: () => watcher.close() };
}

/** What crun has written as the container's process ID; undefined where it has not, or not yet whole. */
export function readRuntimePid(folder: string): number | undefined {
  const text = (textIfThereSync(join(folder, RUNTIME_PID_FILE)) ?? '').trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
