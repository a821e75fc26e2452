import { type Call, withNews } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { type FoundImage, findImage, requireImage } from '../../image/catalog/find-image.ts';
import type { Image } from '../../image/image.ts';
import { findSnapshots, unpackImage } from '../../image/transfer/unpack.ts';
import type { Platform } from '../../oci/platform.ts';
import { exactName, parseReference } from '../../oci/reference.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import type { TaskNews } from '../../progress.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';

export interface WantedImage {
  readonly name: string;
  readonly platform?: Platform | undefined;
  readonly policy: PullPolicy;
}

/** The image of that name or ID, pulled where the policy says so. Throws `not-found`, `wrong-platform`, and as `pullImage`. */
export async function ensureImage(
  engine: Engine,
  call: Call,
  { name, platform, policy }: WantedImage,
): Promise<FoundImage> {
  const store = await engine.store();
  const found = policy === 'always' ? undefined : await findImage(store, name, platform);
  if (found !== undefined) return found;
  if (policy === 'never') return await requireImage(store, name, platform);
  if (policy === 'missing') {
    call.emit({ type: 'message', level: 'info', text: `Unable to find image '${name}' locally` });
  }
  const reference = exactName(parseReference(name));
  const { pullImage } = await import('../../image/transfer/pull-image.ts');
  await pullImage(engine, call, { reference, platform, policy: 'always' });
  return await requireImage(store, name, platform);
}

/**
 * The image's unpacked layers, lowest first. What is missing is unpacked; a layer that is not in the store is fetched
 * from where it is known to be. That is no pull, whatever the policy: the image is here, and a build may have left
 * layers of its base in their registry.
 */
export async function ensureSnapshots(
  engine: Engine,
  call: Call,
  image: Image,
): Promise<readonly SnapshotKey[]> {
  const found = await findSnapshots(engine, image);
  if (found.every((key) => key !== undefined)) return found;
  const { ensureLayers } = await import('../../image/transfer/pull-image.ts');
  await ensureLayers(engine, withNews(call, fetchedOnly()), image);
  return await unpackImage(engine, call, image);
}

/** Leaves out what is told of layers that are in the store: starting a container of an image that is here is no pull. */
function fetchedOnly(): (news: TaskNews) => TaskNews | undefined {
  const fetched = new Set<string>();
  return (news) => {
    if (news.type !== 'layer') return news;
    if (news.state === 'downloading') fetched.add(news.digest);
    return fetched.has(news.digest) ? news : undefined;
  };
}
