/**
 * The room that makes containers: the image and its layers, volumes, mounts and the process are settled, and the
 * record is written. The command `create` calls it, `start` for `run`, and `library`. It starts nothing. When it
 * fails, nothing of the container is left; what was pulled or unpacked stays.
 *
 *     const request = parseCreateFlags({ name: 'web' }, ['app:1'], surroundings);
 *     const record = await createContainer(engine, call, request, { pull: 'missing' });
 */

import { randomBytes } from 'node:crypto';
import { requireRoot } from '../../access.ts';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import { warning } from '../../progress.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { HostPaths } from '../../system/paths.ts';
import { ownIdentity } from '../../system/process/process-identity.ts';
import { lockFile } from '../../system/task/lock.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import type { CreateRequest } from '../flags/create-request.ts';
import { addContainer } from '../record/catalog.ts';
import { containerLock } from '../record/folder.ts';
import { setLiveMark, unmarkLive } from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState } from '../record/state.ts';
import { volumesLock } from '../record/volume-users.ts';
import { ensureImage, ensureSnapshots } from './ensure-image.ts';
import { fillVolume, openImageTree } from './fill-volume.ts';
import { planContainer } from './plan-container.ts';
import { type ResolvedMount, resolveMounts } from './resolve-mounts.ts';

export interface CreateOptions {
  /** Whether this process stays with the container to its end, and clears it away. */
  readonly attached?: boolean | undefined;
  /**
   * Whether this process starts the container. Where it dies before that, a container that removes itself is cleared
   * away.
   */
  readonly startsNow?: boolean | undefined;
  /** Whether an image is pulled; the default is where it is missing. */
  readonly pull?: PullPolicy | undefined;
}

/** A new ID: 64 hex digits. */
function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

/**
 * Makes a container from an image, without starting it: pulls the image where it is missing, unpacks what is not
 * unpacked, makes and fills volumes, takes the name. After a failure nothing is left of it. Throws `not-found` for the
 * image, `already-exists` for the name, and what the parts of the request are at fault for.
 */
export async function createContainer(
  engine: Engine,
  call: Call,
  request: CreateRequest,
  options: CreateOptions = {},
): Promise<ContainerRecord> {
  requireRoot(engine.access, 'running containers');
  const { pull: policy = 'missing', attached = false } = options;
  const store = await engine.store();
  // From here until the container is a root of its own, nobody may collect what it is made of.
  const leasing = store.leases.shared(call.signal);
  await Promise.allSettled([leasing, engine.snapshotter(), engine.volumes()]);
  await using _lease = await leasing;
  const volumes = await engine.volumes();
  const image = await ensureImage(engine, call, request.image, { platform: request.platform, policy });
  const plan = planContainer(request, image);
  for (const text of plan.oddities) call.emit(warning(text));
  const id = newContainerId();
  await using undo = new UndoStack();
  undo.defer(() => unmarkLive(engine.paths, id));
  await setLiveMark(engine.paths, id, ownIdentity());
  const snapshots = await ensureSnapshots(engine, call, image);
  const hasVolumes = plan.mounts.some(({ kind }) => kind === 'volume');
  // Nobody may take a volume for unused until the record names it. It waits for no layer.
  await using _lock = await (hasVolumes
    ? lockFile(volumesLock(engine.paths), { mode: 'shared', signal: call.signal })
    : undefined);
  const onMade = (name: string) => undo.defer(async () => await volumes.remove(name));
  const mounts = await resolveMounts(plan.mounts, volumes, { id, onMade });
  await fillVolumes(engine, snapshots, mounts);
  const record = {
    version: 3,
    id,
    createdAt: new Date().toISOString(),
    ...plan.record,
    image: { ...plan.image, snapshots },
    hostname: request.network.hostname ?? id.slice(0, 12),
    mounts: mounts.map(({ mount }) => mount),
    lifetime: { autoRemove: request.autoRemove, attached, creator: ownIdentity() },
  } as const;
  const added = await addContainer(engine.paths, record, request.name);
  undo.move();
  if (!options.startsNow) await unmarkCreated(engine.paths, id);
  return added;
}

/** Somebody may have started it already: the mark is theirs then. */
async function unmarkCreated(paths: HostPaths, id: string): Promise<void> {
  await using lock = await lockFile(containerLock(paths, id), { mode: 'exclusive', waitMs: 0 });
  if (lock !== undefined && containerState(paths, id).status === 'created') await unmarkLive(paths, id);
}

async function fillVolumes(
  engine: Engine,
  snapshots: readonly SnapshotKey[],
  mounts: readonly ResolvedMount[],
): Promise<void> {
  const waiting = mounts.filter(({ fillFrom }) => fillFrom !== undefined);
  if (waiting.length === 0 || snapshots.length === 0) return;
  const [snapshotter, volumes] = await Promise.all([engine.snapshotter(), engine.volumes()]);
  await using tree = await openImageTree(snapshotter, snapshots, engine.paths.run);
  for (const { mount, fillFrom } of waiting) {
    if (mount.kind === 'volume') await fillVolume(volumes, mount.name, tree, fillFrom!);
  }
}
