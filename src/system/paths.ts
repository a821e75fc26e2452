/**
 * The room of the Linux edge: files, processes and locks as Node alone does not have them. Every folder but `oci`,
 * `options`, `bundle`, `dockerfile` and `cli` may call it, and its own rooms are `file`, `process` and `task`. It
 * knows nothing of images or containers. Here at the front are where things lie, and what a mount is.
 *
 *     const { root, run } = hostPaths();
 *     const scratch = temporaryName(partialFolder(root));
 */

import { join } from 'node:path';
import { ownUid } from '../access.ts';

/** Where ocits keeps its content (`root`) and its locks, pids and sockets (`run`); both absolute. */
export interface HostPaths {
  readonly root: string;
  readonly run: string;
}

/**
 * Where the content of the store at `root` is while it is under way: downloads that can be resumed, by their digests,
 * and what goes with its process, under a `temporaryName`, which opening the store clears away.
 */
export function partialFolder(root: string): string {
  return join(root, 'partial');
}

/** `OCITS_ROOT` and `OCITS_RUN`, else the system's folders for root and the XDG folders for a user. */
export function hostPaths(env: NodeJS.ProcessEnv = process.env, uid: number = ownUid() ?? 0): HostPaths {
  const home = env['HOME'] ?? '/';
  const root =
    uid === 0 ? '/var/lib/ocits' : join(env['XDG_DATA_HOME'] || join(home, '.local/share'), 'ocits');
  const run = uid === 0 ? '/run/ocits' : join(env['XDG_RUNTIME_DIR'] || `/tmp/run-${uid}`, 'ocits');
  return { root: env['OCITS_ROOT'] || root, run: env['OCITS_RUN'] || run };
}
