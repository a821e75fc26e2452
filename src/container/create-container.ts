import { randomBytes } from 'node:crypto';
import { platformOf } from '../image/choose-image.ts';
import { requireImage } from '../image/find-image.ts';
import type { Image } from '../image/image.ts';
import { unpackImage } from '../image/unpack.ts';
import { parseExposed, parsePublish } from '../network/port-grammar.ts';
import type { RunConfig } from '../oci/image-config.ts';
import { formatPlatform, hostPlatform } from '../oci/platform.ts';
import { warning } from '../progress.ts';
import type { SnapshotKey } from '../snapshotter/snapshotter.ts';
import { ownIdentity } from '../system/process-identity.ts';
import { addContainer } from './container-catalog.ts';
import type { ContainerHost } from './container-host.ts';
import { checkContainerName } from './container-name.ts';
import type { ContainerRecord } from './container-record.ts';
import type { CreateRequest, NetworkOptions } from './create-request.ts';
import { fillVolume, openImageTree } from './fill-volume.ts';
import { markLive } from './live-marks.ts';
import { mountRequests, type ResolvedMount, resolveMount } from './resolve-mounts.ts';
import { resolveProcess } from './resolve-process.ts';

export interface CreateOptions {
  /** Whether this process stays with the container to its end, and clears it away. */
  readonly attached?: boolean;
  readonly signal?: AbortSignal;
}

/** A new ID: 64 hex digits. */
export function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

/**
 * Makes a container from an image in the store, without starting it: unpacks what is not unpacked, makes and fills
 * volumes, takes the name. After a failure nothing is left of it. Throws `not-found` for the image, `already-exists`
 * for the name, and what the parts of the request are at fault for.
 */
export async function createContainer(
  host: ContainerHost,
  request: CreateRequest,
  options: CreateOptions = {},
): Promise<ContainerRecord> {
  if (request.name !== undefined) checkContainerName(request.name);
  const [store, snapshotter, volumes] = await Promise.all([host.store(), host.snapshotter(), host.volumes()]);
  // From here until the container is a root of its own, nobody may collect what it is made of.
  await using _lease = await store.leases.shared(options.signal);
  const image = await requireImage(store, request.image, request.platform);
  const config = image.config.config ?? {};
  const process = resolveProcess(config, request.process);
  const wanted = mountRequests(request.mounts, config);
  warnOfPlatform(host, image);
  await using undo = new AsyncDisposableStack();
  const onMade = (name: string) => undo.defer(async () => await volumes.remove(name));
  const [snapshots, mounts] = await Promise.all([
    unpackImage({ store, snapshotter, emit: host.emit }, image, { signal: options.signal }),
    resolveAll(wanted, (each) => resolveMount(each, volumes, onMade)),
  ]);
  await fillVolumes(host, snapshots, mounts);
  const id = newContainerId();
  const record = await addContainer(
    host.paths,
    {
      version: 1,
      id,
      createdAt: new Date().toISOString(),
      image: {
        name: request.image,
        id: image.id,
        manifest: image.manifestDescriptor,
        diffIds: image.config.rootfs.diff_ids,
        snapshots,
        entrypoint: request.process.entrypoint ?? config.Entrypoint ?? [],
        command: request.process.command.length > 0 ? request.process.command : (config.Cmd ?? []),
      },
      process,
      hostname: request.network.hostname ?? id.slice(0, 12),
      network: networkPart(request.network, config),
      mounts: mounts.map(({ mount }) => mount),
      host: request.host,
      labels: { ...config.Labels, ...request.labels },
      annotations: request.annotations,
      lifetime: {
        autoRemove: request.autoRemove,
        attached: options.attached ?? false,
        creator: ownIdentity(),
      },
    },
    request.name,
  );
  if (request.autoRemove) await markLive(host.paths, id);
  undo.move();
  return record;
}

/** All are awaited, so that whatever was made is known for undo when one fails. */
async function resolveAll<T, R>(items: readonly T[], resolve: (item: T) => Promise<R>): Promise<R[]> {
  const settled = await Promise.allSettled(items.map(resolve));
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function fillVolumes(
  host: ContainerHost,
  snapshots: readonly SnapshotKey[],
  mounts: readonly ResolvedMount[],
): Promise<void> {
  const waiting = mounts.filter(({ fillFrom }) => fillFrom !== undefined);
  if (waiting.length === 0 || snapshots.length === 0) return;
  const [snapshotter, volumes] = await Promise.all([host.snapshotter(), host.volumes()]);
  await using tree = await openImageTree(snapshotter, snapshots, host.paths.run);
  for (const { mount, fillFrom } of waiting) {
    if (mount.kind === 'volume') await fillVolume(volumes, mount.name, tree, fillFrom!);
  }
}

/** What the image exposes is added; with `--publish-all`, each exposed port that is not published gets a port. */
function networkPart(network: NetworkOptions, config: RunConfig): NetworkOptions {
  const declared = Object.keys(config.ExposedPorts ?? {}).flatMap((port) => parseExposed(port));
  const exposed = [...new Set([...declared, ...network.exposed])];
  const published = new Set(network.ports.map((port) => `${port.containerPort}/${port.protocol}`));
  const more = network.publishAll
    ? exposed.filter((port) => !published.has(port)).flatMap((port) => parsePublish(port))
    : [];
  return { ...network, exposed, ports: [...network.ports, ...more] };
}

function warnOfPlatform(host: ContainerHost, image: Image): void {
  const platform = platformOf(image);
  const own = hostPlatform();
  if (platform.os === own.os && platform.architecture === own.architecture) return;
  host.emit(
    warning(
      `the image is for ${formatPlatform(platform)}, and this host is ${formatPlatform(own)}: its programs may not run`,
    ),
  );
}
