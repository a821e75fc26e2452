import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { DOCKER_MANIFEST } from '../../oci/media-types.ts';
import { formatPlatform, hostPlatform, type Platform } from '../../oci/platform.ts';
import { familiarName, familiarRepository, type Reference, withDefaultTag } from '../../oci/reference.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { Store } from '../../store/store.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import { chooseImage } from '../catalog/choose-image.ts';
import { platformOf } from '../catalog/image-platform.ts';
import { isIndex, listedIn } from '../catalog/read-image.ts';
import { tagsOfRepository } from '../catalog/tag-image.ts';
import type { Image } from '../image.ts';
import { type ManifestContent, storeDocuments } from '../image-documents.ts';
import { compressedLayers } from './compressed-layers.ts';
import { copyImage } from './copy-image.ts';
import { OUTGOING } from './copy-layers.ts';
import { findEarlierPush } from './earlier-push.ts';
import type { ImageSink } from './image-source.ts';
import { completeStore, layerFinder } from './origin-source.ts';
import type { OutgoingForms } from './outgoing-forms.ts';
import { repositorySink } from './repository-sink.ts';

export interface PushRequest {
  /** Names of one repository, each with a tag; without one it is `latest`. */
  readonly references: readonly Reference[];
  /** Which image of an index, where not all of them are pushed. */
  readonly platform?: Platform | undefined;
  /** How layers that were built here are compressed; the default is gzip. */
  readonly compression?: 'gzip' | 'zstd' | undefined;
}

export interface Pushed {
  readonly reference: Reference;
  /** What the tag points at in the registry now. */
  readonly descriptor: Descriptor;
}

/**
 * Pushes what names point at: blobs in parallel, then manifests, the tag's own last. An index is pushed where all of
 * its images are here, else the image for `platform` (this host's where none is given, else the only one).
 *
 * What came from a registry is pushed byte for byte; of what was built here, layers are compressed, once for all
 * times, and the manifest is OCI's throughout.
 *
 * Throws `not-found` for a name that is not here, `invalid-argument` for one by digest, `wrong-platform`, and what the
 * registry throws.
 */
export async function pushImages(engine: Engine, call: Call, request: PushRequest): Promise<Pushed[]> {
  const { compression: format = 'gzip', platform } = request;
  const [store, registry] = await Promise.all([engine.store(), engine.registry()]);
  await using leases = new UndoStack();
  const source = completeStore(engine, store);
  const sinks = new Map<string, ImageSink>();
  const asked = new Map<Digest, Promise<boolean>>();
  const pushed: Pushed[] = [];
  for (const name of request.references) {
    const reference = withDefaultTag(name);
    const named = await resolveName(store, reference);
    const repository = `${reference.domain}/${reference.path}`;
    const client = registry.repository(reference);
    call.emit({ type: 'image', state: 'pushing', reference: familiarName(reference), descriptor: named });
    const asIs = { reference, root: named, forms: await formsFor(engine, store, named, format), asked };
    const early = await findEarlierPush(store, client, asIs, call);
    if (early !== undefined) {
      pushed.push(tell(call, reference, early));
      continue;
    }
    // The first one that sends something takes it for all.
    if (sinks.size === 0) leases.use(await store.leases.shared(call.signal));
    // Asked anew: until there was a lease, a prune could take what the name pointed at.
    const current = await resolveName(store, reference);
    const root = await rootToPush(store, call, { reference, root: current, platform });
    const forms = await formsFor(engine, store, root, format);
    const sink = sinks.get(repository) ?? remembered(store, client);
    sinks.set(repository, sink);
    const copy = { root, names: [reference], select: { kind: 'all' } } as const;
    const { root: descriptor } = await copyImage(source, sink, copy, call, { states: OUTGOING, forms });
    await store.refs.put(
      { domain: reference.domain, path: reference.path, digest: descriptor.digest },
      descriptor,
    );
    pushed.push(tell(call, reference, descriptor));
  }
  return pushed;
}

function tell(call: Call, reference: Reference, descriptor: Descriptor): Pushed {
  call.emit({ type: 'image', state: 'pushed', reference: familiarName(reference), descriptor });
  return { reference, descriptor };
}

/** A repository of which the store remembers what it has, with the manifests that were sent there. */
function remembered(store: Store, client: RepositoryClient): ImageSink {
  const sink = repositorySink(client);
  const note = async (digest: Digest) => await store.origins.add([digest], client.reference);
  const keep = async ({ descriptor, content }: ManifestContent, sent: Promise<void>) => {
    await allSettled([sent, store.blobs.put(content)]);
    await note(descriptor.digest);
  };
  return {
    ...sink,
    putBlob: async (supply, call) => {
      const outcome = await sink.putBlob(supply, call);
      await note(supply.descriptor.digest);
      return outcome;
    },
    streamBlob: async (blob, call, onBytes) => {
      const state = await sink.streamBlob!(blob, call, onBytes);
      if (state !== 'failed') await note((await blob.whole).digest);
      return state;
    },
    putManifest: async (manifest, call) => await keep(manifest, sink.putManifest(manifest, call)),
    putRoot: async (manifest, names, call) => await keep(manifest, sink.putRoot(manifest, names, call)),
  };
}

/** All names that the repository has here. Throws `not-found` where there is none. */
export async function tagsToPush(store: Store, repository: Reference): Promise<readonly Reference[]> {
  const tags = await tagsOfRepository(store, repository);
  if (tags.length > 0) return tags;
  throw new OcitsError(
    'not-found',
    `An image does not exist locally with the name: ${familiarRepository(repository)}`,
  );
}

async function resolveName(store: Store, reference: Reference): Promise<Descriptor> {
  if (reference.digest !== undefined) {
    throw new OcitsError(
      'invalid-argument',
      `${familiarName(reference)} is a name by digest, which cannot be pushed`,
      {
        hint: 'give the image a tag with: ocits tag',
      },
    );
  }
  const root = await store.refs.resolve(reference);
  if (root !== undefined) return root;
  throw new OcitsError(
    'not-found',
    `An image does not exist locally with the tag: ${familiarName(reference)}`,
    {
      hint: 'see what there is with: ocits images',
    },
  );
}

interface NamedRoot {
  readonly reference: Reference;
  readonly root: Descriptor;
  readonly platform: Platform | undefined;
}

/** An index where all of its images are here, else one image. */
async function rootToPush(
  store: Store,
  call: Call,
  { reference, root, platform }: NamedRoot,
): Promise<Descriptor> {
  if (!isIndex(root)) return root;
  if (platform === undefined && (await hasAllImages(store, root))) return root;
  const image = await oneImage(store, { reference, root, platform });
  const text = `not all of ${familiarName(reference)} is here: only ${formatPlatform(platformOf(image))} is pushed`;
  if (platform === undefined) call.emit({ type: 'message', level: 'info', text });
  return image.manifestDescriptor;
}

/** What came from a registry goes as it is, and so do all images of an index, which names them by digest. */
async function formsFor(
  engine: Engine,
  store: Store,
  root: Descriptor,
  format: 'gzip' | 'zstd',
): Promise<OutgoingForms | undefined> {
  if (isIndex(root) || (await store.origins.get(root.digest)).length > 0) return undefined;
  const mayBeDocker = root.mediaType === DOCKER_MANIFEST;
  return compressedLayers(store, { format, mayBeDocker, find: layerFinder(engine, store) });
}

/** Whether each image of an index is here, and whatever else it lists. */
async function hasAllImages(store: Store, root: Descriptor): Promise<boolean> {
  for (const child of await listedIn(storeDocuments(store), root)) {
    if (isIndex(child) || (await store.blobs.stat(child.digest)) === undefined) return false;
  }
  return true;
}

async function oneImage(store: Store, { reference, root, platform }: NamedRoot): Promise<Image> {
  const image = await chooseImage(store, root, platform);
  if (image !== undefined) return image;
  const wanted = formatPlatform(platform ?? hostPlatform());
  throw new OcitsError('wrong-platform', `${familiarName(reference)} is not here for ${wanted}`, {
    hint: `fetch it with: ocits pull --platform ${wanted} ${familiarName(reference)}`,
  });
}
