import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mount } from '../../../src/system/mount.ts';

/** Mounts that live in a mount namespace of their own, and vanish with it. */
export interface MountedTree extends AsyncDisposable {
  /** The tree, as this process reaches it: below /proc/PID/root. */
  readonly root: string;
}

/** Mounts one after another on a folder, says so, and holds the namespace until its standard input ends. */
const HOLDER = `
set -e
target=$1; shift
while [ $# -gt 0 ]; do
  cd "$1"; mount -t "$2" -o "$3" -- "$4" "$target"; shift 4
done
cd /
echo mounted
read -r _ || true
`;

/** Makes what a snapshotter has given, in a private mount namespace. Throws with what mount(8) says. */
export async function mountTree(mounts: readonly Mount[]): Promise<MountedTree> {
  const target = await mkdtemp(join(tmpdir(), 'ocits-mount-'));
  const args = mounts.flatMap(({ folder, type, options, source }) => [
    folder ?? '/',
    type,
    options.join(','),
    source,
  ]);
  const child = spawn('unshare', ['--mount', 'sh', '-c', HOLDER, 'sh', target, ...args], { stdio: 'pipe' });
  const dispose = async () => {
    const ended = child.exitCode === null ? once(child, 'close') : undefined;
    child.stdin.end();
    await ended;
    await rmdir(target);
  };
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const isMounted = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    once(child, 'close').then(() => false),
  ]);
  if (!isMounted) {
    await rmdir(target);
    throw new Error(`mount failed: ${stderr}`);
  }
  // unshare has become the shell that mounted, so its process ID leads to the namespace.
  return { root: `/proc/${child.pid}/root${target}`, [Symbol.asyncDispose]: dispose };
}
