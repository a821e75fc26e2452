import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, type Platform, runsOn } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { storeDocuments } from '../image-documents.ts';
import { chooseImage } from './choose-image.ts';
import { type ImageName, isFullId, readImageName } from './image-name.ts';
import { platformOf } from './image-platform.ts';
import { presentManifests } from './present-images.ts';
import { isIndex, readDocument, readImage } from './read-image.ts';

/** An image, and how it was found. */
export interface FoundImage extends Image {
  /** The name that it was found by; undefined where that was an ID. */
  readonly reference?: Reference | undefined;
  /** What the name points at, an index or the manifest itself; with an ID, the manifest. */
  readonly root: Descriptor;
}

/**
 * Finds an image as Docker does: by name (without a tag `latest`), by name and digest, by ID (`sha256:` and 64
 * digits or those alone), or by the beginning of an ID where just one image has it. A name goes before a short ID.
 * Undefined where there is none, or none for `platform`; without a platform it is this host's, else whatever is
 * there.
 *
 * Throws `invalid-reference` for what can be neither, `invalid-argument` for an ambiguous short ID, and as `readImage`.
 */
export async function findImage(
  store: Store,
  nameOrId: string,
  platform?: Platform,
): Promise<FoundImage | undefined> {
  return await findNamed(store, readImageName(nameOrId), platform);
}

/** As `findImage`, by a name that was read. */
export async function findNamed(
  store: Store,
  name: ImageName,
  platform?: Platform,
): Promise<FoundImage | undefined> {
  const reference = name.reference;
  const root = reference === undefined || isFullId(name) ? undefined : await resolveName(store, reference);
  if (root === undefined) return await findById(store, name, platform);
  const image = await chooseImage(store, root, platform);
  return image === undefined ? undefined : { ...image, reference, root };
}

/** As `findImage`, but an image that is not there is an error: `not-found`, or `wrong-platform`. */
export async function requireImage(store: Store, nameOrId: string, platform?: Platform): Promise<FoundImage> {
  const name = readImageName(nameOrId);
  const found = await findNamed(store, name, platform);
  if (found !== undefined) return found;
  throw await missingImage(store, name, platform);
}

/** The error for an image that is not there, or not for `platform`. */
export async function missingImage(
  store: Store,
  name: ImageName,
  platform: Platform | undefined,
): Promise<OcitsError> {
  const { text, idStart } = name;
  const other = platform === undefined ? undefined : await findNamed(store, name);
  if (other === undefined || platform === undefined) {
    const hint = idStart === undefined ? `fetch it with: ocits pull ${text}` : undefined;
    return new OcitsError('not-found', `No such image: ${text}`, { hint });
  }
  const have = formatPlatform(platformOf(other));
  return new OcitsError(
    'wrong-platform',
    `image ${text} is here for ${have}, not for ${formatPlatform(platform)}`,
    { hint: `fetch it with: ocits pull --platform ${formatPlatform(platform)} ${text}` },
  );
}

/** A name by digest also finds an image that has the digest and, in the same repository, any tag. */
async function resolveName(store: Store, reference: Reference): Promise<Descriptor | undefined> {
  const direct = await store.refs.resolve(reference);
  if (direct !== undefined || reference.digest === undefined) return direct;
  const refs = await store.refs.list();
  return refs.find(
    (ref) =>
      ref.reference.domain === reference.domain &&
      ref.reference.path === reference.path &&
      ref.descriptor.digest === reference.digest,
  )?.descriptor;
}

async function findById(
  store: Store,
  { text, idStart }: ImageName,
  platform?: Platform,
): Promise<FoundImage | undefined> {
  if (idStart === undefined) return undefined;
  const matches = new Map<Digest, Descriptor>();
  for (const manifest of await allManifests(store)) {
    const id = await idOf(store, manifest);
    // A full digest may also be the manifest's: that is what pull and push print.
    if (id?.startsWith(idStart)) matches.set(id, matches.get(id) ?? manifest);
    else if (id !== undefined && manifest.digest === idStart) matches.set(id, manifest);
  }
  if (matches.size > 1) {
    const ids = [...matches.keys()].map((id) => id.slice(0, 7 + 20)).join(', ');
    throw new OcitsError('invalid-argument', `multiple IDs found with provided prefix: ${text}`, {
      hint: `give more digits; there are ${ids}`,
    });
  }
  const [root] = matches.values();
  if (root === undefined) return undefined;
  const { image } = await readImage(storeDocuments(store), root);
  return platform === undefined || runsOn(image.config, platform) ? { ...image, root } : undefined;
}

async function allManifests(store: Store): Promise<Descriptor[]> {
  const roots = new Map<Digest, Descriptor>();
  for (const { descriptor } of await store.refs.list()) roots.set(descriptor.digest, descriptor);
  for (const { descriptor } of await store.refs.anonymous()) roots.set(descriptor.digest, descriptor);
  const manifests: Descriptor[] = [];
  for (const root of roots.values()) {
    if (!isIndex(root)) manifests.push(root);
    else manifests.push(...((await ifReadable(() => presentManifests(store, root))) ?? []));
  }
  return manifests;
}

async function idOf(store: Store, manifest: Descriptor): Promise<Digest | undefined> {
  return await ifReadable(async () => {
    const document = await readDocument(storeDocuments(store), manifest);
    return document.kind === 'manifest' ? document.manifest.config.digest : undefined;
  });
}

/** A damaged image must not keep others from being found. */
async function ifReadable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isOcitsError(error, 'not-found', 'unsupported', 'corrupt', 'hostile', 'size-mismatch'))
      return undefined;
    throw error;
  }
}
