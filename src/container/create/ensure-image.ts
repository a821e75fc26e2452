import { type FoundImage, findImage, requireImage } from '../../image/catalog/find-image.ts';
import type { Image, ImageHost } from '../../image/image.ts';
import { findSnapshots, unpackImage } from '../../image/transfer/unpack.ts';
import type { Platform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import type { ProgressSink } from '../../progress.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { ContainerHost } from '../container-host.ts';

export interface WantedImage {
  readonly name: string;
  readonly platform?: Platform | undefined;
  readonly policy: PullPolicy;
  readonly signal?: AbortSignal | undefined;
}

/** The image of that name or ID, pulled where the policy says so. Throws `not-found`, `wrong-platform`, and as `pullImage`. */
export async function ensureImage(
  host: ContainerHost,
  images: ImageHost,
  { name, platform, policy, signal }: WantedImage,
): Promise<FoundImage> {
  const found = policy === 'always' ? undefined : await findImage(images.store, name, platform);
  if (found !== undefined) return found;
  if (policy === 'never') return await requireImage(images.store, name, platform);
  if (policy === 'missing') {
    host.emit({ type: 'message', level: 'info', text: `Unable to find image '${name}' locally` });
  }
  const reference = parseReference(name);
  const { pullImage } = await import('../../image/transfer/pull-image.ts');
  await pullImage(images, await host.registry(), { reference, platform, policy: 'always', signal });
  return await requireImage(images.store, name, platform);
}

/**
 * The image's unpacked layers, lowest first. What is missing is unpacked; a layer that is not in the store is fetched
 * from where it is known to be, unless the policy forbids it.
 */
export async function ensureSnapshots(
  host: ContainerHost,
  images: ImageHost,
  image: Image,
  { policy, signal }: Pick<WantedImage, 'policy' | 'signal'>,
): Promise<readonly SnapshotKey[]> {
  const found = await findSnapshots(images, image);
  if (found.every((key) => key !== undefined)) return found;
  if (policy !== 'never') {
    const { ensureLayers } = await import('../../image/transfer/pull-image.ts');
    const quiet = { ...images, emit: fetchedOnly(images.emit) };
    await ensureLayers(quiet, await host.registry(), image, signal === undefined ? {} : { signal });
  }
  return await unpackImage(images, image, { signal });
}

/** Leaves out what is told of layers that are in the store: starting a container of an image that is here is no pull. */
function fetchedOnly(emit: ProgressSink): ProgressSink {
  const fetched = new Set<string>();
  return (event) => {
    if (event.type === 'layer') {
      if (event.state === 'downloading') fetched.add(event.digest);
      if (!fetched.has(event.digest)) return;
    }
    emit(event);
  };
}
