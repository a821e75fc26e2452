import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MOUNT_TARGETS } from '../bundle/mounts.ts';
import { OcitsError } from '../errors.ts';
import { launchCommand } from '../runtime/launcher.ts';
import { toolEnvironment } from '../runtime/tool-environment.ts';
import { withLock } from '../system/lock.ts';
import { exited, spawnTool, tail } from '../system/spawn.ts';
import { containerFolder, containerLock } from './container-folder.ts';
import type { ContainerHost } from './container-host.ts';
import type { ContainerRecord } from './container-record.ts';
import { containerState } from './container-state.ts';

/**
 * Writes the tree of a container as an uncompressed tar, without what is mounted in it. A running container is read
 * through its first process, since a live upper directory must not be mounted twice; another is mounted for the time.
 */
export async function exportContainer(
  host: ContainerHost,
  record: ContainerRecord,
  output: Writable,
  signal?: AbortSignal,
): Promise<void> {
  const { status, pid } = containerState(host.paths, record.id);
  if (status === 'running') return await writeTar({ root: `/proc/${pid}/root`, output, signal });
  await withLock(containerLock(host.paths, record.id), { mode: 'exclusive' }, async () => {
    const snapshotter = await host.snapshotter();
    const { writable } = containerFolder(host.paths, record.id);
    const { mounts } = await snapshotter.prepare(writable, record.image.snapshots, MOUNT_TARGETS);
    const target = mkdtempSync(join(host.paths.run, 'tree-'));
    try {
      await writeTar({ root: target, output, signal, rootfs: { mounts, target } });
    } finally {
      rmdirSync(target);
    }
  });
}

interface TarRequest extends Pick<Parameters<typeof launchCommand>[0], 'rootfs'> {
  readonly root: string;
  readonly output: Writable;
  readonly signal: AbortSignal | undefined;
}

async function writeTar({ root, output, signal, rootfs }: TarRequest): Promise<void> {
  const { program, args } = await launchCommand({
    ...(rootfs === undefined ? {} : { rootfs }),
    program: 'tar',
    args: [
      '--create',
      '--one-file-system',
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
      '-C',
      root,
      '.',
    ],
  });
  const child = spawnTool(program, args, ['ignore', 'pipe', 'pipe'], {
    env: toolEnvironment(),
    ...(signal === undefined ? {} : { signal }),
  });
  const exit = exited(child, program);
  exit.catch(() => {});
  const [, errors] = await Promise.all([
    pipeline(child.stdout!, output, { end: false }),
    tail(child.stderr!),
  ]);
  const { code } = await exit;
  // 1 says that a file changed while it was read.
  if (code !== 0 && code !== 1) throw new OcitsError('tool-failed', `tar failed: ${errors.trim()}`);
}
