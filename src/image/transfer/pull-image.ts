import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarName, type Reference } from '../../oci/reference.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import { warning } from '../../progress.ts';
import { findLayerSource } from '../catalog/layer-source.ts';
import { type SelectedImage, selectImage, selectStored, type WantedPlatform } from '../catalog/read-image.ts';
import type { Image } from '../image.ts';
import { copySelected } from './copy-image.ts';
import { copyLayers } from './copy-layers.ts';
import type { ImageSink } from './image-source.ts';
import { originSource } from './origin-source.ts';
import { repositorySource } from './repository-source.ts';
import { storeSink } from './store-source.ts';
import { findSnapshots, unpackMeanwhile } from './unpack.ts';

/** What is wanted of an image's layers: nothing, their blobs, or their snapshots, too. */
export type LayerDepth = 'config' | 'layers' | 'unpacked';

export interface PullRequest {
  /** A name with a tag, or one by digest: see `exactName`. */
  readonly reference: Reference;
  /** The host's where none is given. */
  readonly platform?: Platform | undefined;
  /** `missing`: ask no registry where the image is there; `newer`: as `always`, but do without it if need be. */
  readonly policy: PullPolicy | 'newer';
  /** How much of the image is wanted; the default is all of it, unpacked. */
  readonly depth?: LayerDepth | undefined;
}

export interface Pulled {
  readonly image: Image;
  /** What the name points at: an index or the image's manifest. */
  readonly root: Descriptor;
  /** Nothing was fetched, unpacked or named. */
  readonly upToDate: boolean;
}

/**
 * Makes an image be there under its name, as the policy says, complete and verified to the wanted depth. Where all is
 * there already, that costs one request (none with a digest, or with the policies `missing` and `never`).
 *
 * Throws `not-found` (also for `never` where it is missing), `wrong-platform`, `unsupported`, `hostile`,
 * `digest-mismatch`, `size-mismatch`, `unauthorized`, `denied`, `network`, `aborted`, and what the snapshotter throws.
 */
export async function pullImage(engine: Engine, call: Call, request: PullRequest): Promise<Pulled> {
  const { policy, depth = 'unpacked' } = request;
  const reference = request.reference;
  const wanted = { platform: request.platform, name: familiarName(reference) };
  const { root, there } = await lookUp(engine, call, request, wanted);
  const tell = (state: 'pulling' | 'pulled' | 'up-to-date', id?: Digest) =>
    call.emit({ type: 'image', state, reference: wanted.name, descriptor: root, id });
  const known = there?.selected.image;
  if (known !== undefined && policy === 'never') return { image: known, root, upToDate: true };
  if (known !== undefined && (await isComplete(engine, known, depth))) {
    for (const { digest, size } of known.manifest.layers) {
      call.emit({ type: 'layer', digest, state: 'exists', totalBytes: size });
    }
    tell('up-to-date', known.id);
    return { image: known, root, upToDate: true };
  }
  tell('pulling');
  const [store, registry] = await Promise.all([engine.store(), engine.registry()]);
  await using _lease = await store.leases.shared(call.signal);
  const source = repositorySource(registry.repository(reference), wanted.name, store);
  const found = there ?? (await selectImage(source.documents(call), root, wanted));
  const { image } = found.selected;
  const byDigest = { domain: reference.domain, path: reference.path, digest: root.digest };
  await copySelected(source, storeSink(store), found, call, {
    // An image whose layers are not wanted gets no name.
    names: depth === 'config' ? undefined : [reference, byDigest],
    withLayers: depth !== 'config',
    onImage: async ({ manifestDescriptor, manifest }) => {
      const blobs = [root, manifestDescriptor, ...manifest.layers].map(({ digest }) => digest);
      await store.origins.add(blobs, reference);
      return depth === 'unpacked' ? await unpackMeanwhile(engine, image) : undefined;
    },
  });
  tell('pulled', image.id);
  return { image, root, upToDate: false };
}

/** Whether nothing is left to fetch or unpack. */
async function isComplete(engine: Engine, image: Image, depth: LayerDepth): Promise<boolean> {
  if (depth === 'config') return true;
  const { blobs } = await engine.store();
  const { layers } = image.manifest;
  const stats = await Promise.all(layers.map(({ digest }) => blobs.stat(digest)));
  if (stats.some((blob, index) => blob?.sizeBytes !== layers[index]!.size)) return false;
  return depth === 'layers' || (await findSnapshots(engine, image)).every((key) => key !== undefined);
}

/**
 * Fetches the layers of an image of which the store has no form, from the repositories that they are known to be in, and
 * unpacks all.
 */
export async function ensureLayers(
  engine: Engine,
  call: Call,
  image: Image,
  options: { readonly depth?: LayerDepth | undefined; readonly reference?: Reference | undefined } = {},
): Promise<void> {
  const { depth = 'unpacked', reference } = options;
  if (await isComplete(engine, image, depth)) return;
  const diffIds = new Map(
    image.manifest.layers.map(({ digest }, index) => [digest, image.config.rootfs.diff_ids[index]!]),
  );
  const store = await engine.store();
  await using _lease = await store.leases.shared(call.signal);
  // Asked anew: until there was a lease, a prune could take more of them.
  const follow = depth === 'unpacked' ? await unpackMeanwhile(engine, image) : undefined;
  const sink: ImageSink = {
    ...storeSink(store),
    hasBlob: async (layer) => (await findLayerSource(store, layer, diffIds.get(layer.digest)!)) !== undefined,
  };
  await copyLayers(originSource(engine, store, { reference }), sink, image, call, { follow });
}

interface PullTarget {
  /** What the name is to point at. */
  readonly root: Descriptor;
  /** The image that it points at already, where its manifest and config are in the store. */
  readonly there: SelectedImage | undefined;
}

/** What there is to pull, as the policy says: from the store, or by one request. */
async function lookUp(
  engine: Engine,
  call: Call,
  { reference, policy }: PullRequest,
  wanted: WantedPlatform,
): Promise<PullTarget> {
  const store = await engine.store();
  const known = await store.refs.resolve(reference);
  const there = known === undefined ? undefined : await selectStored(store, known, wanted);
  const isSettled = policy === 'never' || policy === 'missing' || reference.digest !== undefined;
  if (there !== undefined && isSettled) return { root: known!, there };
  if (policy === 'never') {
    throw new OcitsError('not-found', `No such image: ${wanted.name}`, {
      hint: `fetch it with: ocits pull ${wanted.name}`,
    });
  }
  try {
    const client = (await engine.registry()).repository(reference);
    const root = await client.resolve(reference.digest ?? reference.tag!, call);
    return { root, there: root.digest === known?.digest ? there : undefined };
  } catch (error) {
    if (policy !== 'newer' || there === undefined || !isOcitsError(error, 'network')) throw error;
    call.emit(
      warning(`${wanted.name}: the registry cannot be asked, the image here is used: ${error.message}`),
    );
    return { root: known!, there };
  }
}
