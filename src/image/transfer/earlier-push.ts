import type { Call } from '../../call.ts';
import { isOcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { Store } from '../../store/store.ts';
import { isIndex, readImage } from '../catalog/read-image.ts';
import type { Image } from '../image.ts';
import { storeDocuments } from '../image-documents.ts';
import { layerProgress } from './layer-progress.ts';
import type { OutgoingForms } from './outgoing-forms.ts';

export interface PushToRepeat {
  /** A tag of the client's repository. */
  readonly reference: Reference;
  /** What it is to point at there. */
  readonly root: Descriptor;
  readonly forms: OutgoingForms | undefined;
  /** The answers of the repository so far: several tags share blobs. */
  readonly asked: Map<Digest, Promise<boolean>>;
}

/**
 * What the tag points at in the registry, where an earlier push has left nothing to do: the tag points there already,
 * every blob is there, and the store remembers it all. Undefined where something may be left; an index always goes the
 * long way, since what it lists may be anything.
 *
 * Nothing is changed, here or there, so it takes no lease; and the registry is asked all at once, and only where it was
 * pushed to from here before. Throws `network`, `rate-limited`, `aborted`.
 */
export async function findEarlierPush(
  store: Store,
  client: RepositoryClient,
  push: PushToRepeat,
  call: Call,
): Promise<Descriptor | undefined> {
  if (isIndex(push.root)) return undefined;
  try {
    const { image } = await readImage(storeDocuments(store), push.root);
    const layers = await layersThatGo(image, push.forms);
    if (layers === undefined) return undefined;
    const outgoing = push.forms?.manifest(image, layers)?.descriptor ?? push.root;
    if (!(await isRemembered(store, push.reference, outgoing))) return undefined;
    const blobs = [image.manifest.config, ...layers].map(({ digest }) => digest);
    const ask = (digest: Digest) => {
      const answer = push.asked.get(digest) ?? client.hasBlob(digest, call);
      push.asked.set(digest, answer);
      return answer;
    };
    const [tag, ...there] = await Promise.all([
      client.resolvePushed(push.reference.tag!, call),
      ...blobs.map(ask),
    ]);
    if (tag.digest !== outgoing.digest || there.includes(false)) return undefined;
    tellLayers(image, layers, call);
    return outgoing;
  } catch (error) {
    if (!isOcitsError(error) || isOcitsError(error, 'aborted', 'network', 'rate-limited')) throw error;
    // The push itself meets the same, or knows better.
    return undefined;
  }
}

/** Undefined where one of them has to be made. */
async function layersThatGo(
  image: Image,
  forms: OutgoingForms | undefined,
): Promise<readonly Descriptor[] | undefined> {
  if (forms === undefined) return image.manifest.layers;
  const known = await Promise.all(image.manifest.layers.map((_, position) => forms.known?.(image, position)));
  return known.every((layer) => layer !== undefined) ? known : undefined;
}

/** Whether all that a push writes down was written down: where the manifest is, its name by digest, and itself. */
async function isRemembered(
  store: Store,
  { domain, path }: Reference,
  { digest }: Descriptor,
): Promise<boolean> {
  const [origin] = await store.origins.get(digest);
  if (origin?.domain !== domain || origin.path !== path) return false;
  return (
    (await store.refs.resolve({ domain, path, digest })) !== undefined &&
    (await store.blobs.stat(digest)) !== undefined
  );
}

function tellLayers({ manifest }: Image, layers: readonly Descriptor[], { emit }: Call): void {
  const told = new Set<Digest>();
  for (const [position, layer] of manifest.layers.entries()) {
    if (told.has(layer.digest)) continue;
    told.add(layer.digest);
    layerProgress({ ...layer, size: layers[position]!.size }, emit).state('exists');
  }
}
