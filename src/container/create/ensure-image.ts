import { type Call, withNews } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { findNamed, missingImage } from '../../image/catalog/find-image.ts';
import type { ImageName } from '../../image/catalog/image-name.ts';
import type { Image } from '../../image/image.ts';
import { findSnapshots, unpackImage } from '../../image/transfer/unpack.ts';
import type { Platform } from '../../oci/platform.ts';
import { exactName } from '../../oci/reference.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import type { TaskNews } from '../../progress.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';

/** The image of that name or ID, pulled where the policy says so. Throws `not-found`, `wrong-platform`, and as `pullImage`. */
export async function ensureImage(
  engine: Engine,
  call: Call,
  name: ImageName,
  { platform, policy }: { readonly platform: Platform | undefined; readonly policy: PullPolicy },
): Promise<Image> {
  const store = await engine.store();
  const found = policy === 'always' ? undefined : await findNamed(store, name, platform);
  if (found !== undefined) return found;
  if (policy === 'always' && name.reference === undefined) {
    throw new OcitsError('invalid-reference', `${name.text} is an ID, and only a name can be pulled`, {
      hint: 'leave out --pull=always',
    });
  }
  if (policy === 'never' || name.reference === undefined) throw await missingImage(store, name, platform);
  if (policy === 'missing') {
    call.emit({ type: 'message', level: 'info', text: `Unable to find image '${name.text}' locally` });
  }
  const reference = exactName(name.reference);
  const { pullImage } = await import('../../image/transfer/pull-image.ts');
  return (await pullImage(engine, call, { reference, platform, policy: 'always' })).image;
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
