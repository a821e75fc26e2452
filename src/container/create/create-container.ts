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
import type { ContainerMount } from '../../bundle/container-spec.ts';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { platformOf } from '../../image/catalog/image-platform.ts';
import type { Image } from '../../image/image.ts';
import { hasOwnSandbox, networkModeOf } from '../../network/choice.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { formatPlatform, hostPlatform } from '../../oci/platform.ts';
import type { MountRequest } from '../../options/mounts/mount-request.ts';
import { parseExposed, parsePublish } from '../../options/ports.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import { warning } from '../../progress.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { HostPaths } from '../../system/paths.ts';
import { ownIdentity } from '../../system/process/process-identity.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import { lockFile } from '../../system/task/lock.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';

import type { CreateRequest, NetworkOptions } from '../flags/create-request.ts';
import { addContainer } from '../record/catalog.ts';
import { containerLock } from '../record/folder.ts';
import { setLiveMark, unmarkLive } from '../record/live-marks.ts';
import { checkContainerName } from '../record/name.ts';
import type { ContainerRecord, ProcessRecord } from '../record/record.ts';
import { containerState } from '../record/state.ts';
import { ensureImage, ensureSnapshots } from './ensure-image.ts';
import { fillVolume, openImageTree } from './fill-volume.ts';
import { mountRequests, type ResolvedMount, resolveMount } from './resolve-mounts.ts';
import { resolveProcess } from './resolve-process.ts';

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
  if (request.name !== undefined) checkContainerName(request.name);
  const { pull: policy = 'missing' } = options;
  const store = await engine.store();
  // From here until the container is a root of its own, nobody may collect what it is made of.
  const leasing = store.leases.shared(call.signal);
  await Promise.allSettled([leasing, engine.snapshotter(), engine.volumes()]);
  await using _lease = await leasing;
  const volumes = await engine.volumes();
  const image = await ensureImage(engine, call, {
    name: request.image,
    platform: request.platform,
    policy,
  });
  const parts = resolveParts(request, image.config.config ?? {});
  warnOfOddities(call, request, image);
  const id = newContainerId();
  await using undo = new UndoStack();
  undo.defer(() => unmarkLive(engine.paths, id));
  await setLiveMark(engine.paths, id, ownIdentity());
  const onMade = (name: string) => undo.defer(async () => await volumes.remove(name));
  const [snapshots, mounts] = await Promise.all([
    ensureSnapshots(engine, call, image),
    allSettled(parts.mounts.map((each) => resolveMount(each, volumes, { id, onMade }))),
  ]);
  await fillVolumes(engine, snapshots, mounts);
  const record = newRecord(request, image, {
    ...parts,
    id,
    snapshots,
    mounts: mounts.map(({ mount }) => mount),
    attached: options.attached ?? false,
  });
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

/** What the image and the user say together; all that can be at fault before anything is made. */
interface ResolvedParts {
  readonly process: ProcessRecord;
  readonly network: NetworkOptions;
  readonly mounts: readonly MountRequest[];
  readonly labels: Readonly<Record<string, string>>;
}

function resolveParts(request: CreateRequest, config: RunConfig): ResolvedParts {
  return {
    process: resolveProcess(config, request.process),
    network: resolveNetwork(request.network, config),
    mounts: mountRequests(request.mounts, config),
    labels: { ...config.Labels, ...request.labels },
  };
}

interface RecordParts extends Omit<ResolvedParts, 'mounts'> {
  readonly id: string;
  readonly snapshots: readonly SnapshotKey[];
  readonly mounts: readonly ContainerMount[];
  readonly attached: boolean;
}

function newRecord(
  request: CreateRequest,
  image: Image,
  { id, snapshots, attached, ...parts }: RecordParts,
): Omit<ContainerRecord, 'name'> {
  const config = image.config.config ?? {};
  const { entrypoint, command } = request.process;
  return {
    version: 2,
    id,
    createdAt: new Date().toISOString(),
    image: {
      name: request.image,
      id: image.id,
      manifest: image.manifestDescriptor,
      diffIds: image.config.rootfs.diff_ids,
      snapshots,
      entrypoint: entrypoint ?? config.Entrypoint ?? [],
      command: command.length > 0 || entrypoint !== undefined ? command : (config.Cmd ?? []),
    },
    hostname: request.network.hostname ?? id.slice(0, 12),
    ...parts,
    host: request.host,
    annotations: request.annotations,
    lifetime: { autoRemove: request.autoRemove, attached, creator: ownIdentity() },
  };
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

/** What the image exposes and what is published is added; with `--publish-all`, each exposed port that is not published gets a port. */
function resolveNetwork(network: NetworkOptions, config: RunConfig): NetworkOptions {
  const declared = Object.keys(config.ExposedPorts ?? {}).flatMap(parseExposed);
  const published = new Set(network.ports.map((port) => `${port.containerPort}/${port.protocol}`));
  const exposed = [...new Set([...declared, ...network.exposed, ...published])];
  const more = network.publishAll
    ? exposed.filter((port) => !published.has(port)).flatMap((port) => parsePublish(port))
    : [];
  return { ...network, exposed, ports: [...network.ports, ...more] };
}

function warnOfOddities(call: Call, { network }: CreateRequest, image: Image): void {
  const platform = platformOf(image);
  const own = hostPlatform();
  if (platform.os !== own.os || platform.architecture !== own.architecture) {
    const [theirs, ours] = [platform, own].map(formatPlatform);
    call.emit(warning(`the image is for ${theirs}, and this host is ${ours}: its programs may not run`));
  }
  if (!hasOwnSandbox(network) && (network.ports.length > 0 || network.publishAll)) {
    call.emit(warning(`published ports are discarded with --network ${networkModeOf(network)}`));
  }
}
