import { mkdirSync, rmdirSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CONTAINER_TARGETS } from '../../bundle/mounts.ts';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { launchCommand } from '../../runtime/launch/launcher.ts';
import { toolEnvironment } from '../../runtime/launch/tool-environment.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { exited, spawnTool, tail } from '../../system/process/spawn.ts';
import { withLock } from '../../system/task/lock.ts';
import { containerFolder, containerLock } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState } from '../record/state.ts';

/**
 * Writes the tree of a container as an uncompressed tar, without what is mounted in it. A running container is read
 * through its first process, since a live upper directory must not be mounted twice; another is mounted for the time.
 */
export async function exportContainer(
  engine: Engine,
  { signal }: Call,
  record: ContainerRecord,
  output: Writable,
): Promise<void> {
  const request = { output, signal };
  const live = liveRoot(engine, record);
  if (live !== undefined) return await writeTar({ ...request, root: live });
  await withLock(containerLock(engine.paths, record.id), { mode: 'exclusive' }, async () => {
    // Somebody may have started it while we waited.
    const started = liveRoot(engine, record);
    if (started !== undefined) return await writeTar({ ...request, root: started });
    const snapshotter = await engine.snapshotter();
    const { writable } = containerFolder(engine.paths, record.id);
    const { mounts } = await snapshotter.prepare(writable, record.image.snapshots, CONTAINER_TARGETS);
    const target = temporaryName(engine.paths.run);
    mkdirSync(target, { mode: 0o700 });
    try {
      await writeTar({ ...request, root: target, rootfs: { mounts, target } });
    } finally {
      rmdirSync(target);
    }
  });
}

/** The root of a container that runs, as its first process has it. */
function liveRoot(engine: Engine, { id }: ContainerRecord): string | undefined {
  const { status, pid } = containerState(engine.paths, id);
  return status === 'running' ? `/proc/${pid}/root` : undefined;
}

interface TarRequest extends Pick<Parameters<typeof launchCommand>[0], 'rootfs'> {
  readonly root: string;
  readonly output: Writable;
  readonly signal: AbortSignal | undefined;
}

async function writeTar({ root, output, signal, rootfs }: TarRequest): Promise<void> {
  const { program, args } = await launchCommand({
    rootfs,
    program: 'tar',
    args: [
      '--create',
      // As Docker names and orders them.
      '--sort=name',
      '--transform=flags=rh;s,^\\./,,',
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
    signal,
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
