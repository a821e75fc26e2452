import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { hostPlatform, matchPlatforms, type Platform } from '../../oci/platform.ts';
import { familiarName, type Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import type { ImageFilters } from './filter-images.ts';
import { platformOf } from './image-platform.ts';
import { imageSize } from './layer-size.ts';
import { catalogWith } from './list-images.ts';
import { listedManifests, presentImages } from './present-images.ts';

/** What an image takes, for one platform or for all that are here. */
export interface ImageWeight {
  /** What its files hold. */
  readonly sizeBytes: number;
  /** Its manifest, config and layers as a registry has them. */
  readonly contentBytes: number;
  /** Whether a container is made of it. */
  readonly isUsed: boolean;
}

/** One platform of an image. One that is not here takes nothing. */
export interface PlatformBranch extends ImageWeight {
  /** The image's; of one that is not here the digest of its manifest. */
  readonly id: Digest;
  readonly platform: Platform | undefined;
  readonly isPresent: boolean;
}

/** An image under all its names, with the platforms that it is there for. */
export interface PlatformTree extends ImageWeight {
  /** With tags, by their familiar spelling. */
  readonly tags: readonly Reference[];
  /** By digest. */
  readonly digests: readonly Reference[];
  /** The ID of the image for this host, else of the first one that is here. */
  readonly id: Digest;
  /** In the order of the index. */
  readonly branches: readonly PlatformBranch[];
}

/**
 * The images that fit the filters as Docker 29 lists them: one for each index or manifest that names point at, by name,
 * those without a name last. Throws as `listImages`.
 */
export async function imageTrees(
  engine: Engine,
  call: Call,
  filters?: ImageFilters,
): Promise<readonly PlatformTree[]> {
  const store = await engine.store();
  const found = await catalogWith(store, call, filters);
  const names = await namesByRoot(store);
  const wanted = new Set(found.flatMap(({ tags, digests }) => [...tags, ...digests]).map(familiarName));
  const users = new Set((await (await engine.contentRoots()).users()).map(({ imageId }) => imageId));
  const roots = new Map(found.flatMap((stored) => stored.roots).map((root) => [root.digest, root]));
  const trees: PlatformTree[] = [];
  for (const root of roots.values()) {
    const own = (names.get(root.digest) ?? []).filter((name) => wanted.has(familiarName(name)));
    // A pattern that fits another name of the same image says nothing of this one.
    if (own.length === 0 && (filters?.references.length ?? 0) > 0) continue;
    const images = await presentImages(store, root, () => {});
    if (images.length > 0) trees.push(await treeOf(engine, call, root, { names: own, images, users }));
  }
  return trees.sort(byName);
}

async function namesByRoot(store: Store): Promise<ReadonlyMap<Digest, readonly Reference[]>> {
  const names = new Map<Digest, Reference[]>();
  for (const { reference, descriptor } of await store.refs.list()) {
    names.set(descriptor.digest, [...(names.get(descriptor.digest) ?? []), reference]);
  }
  return names;
}

interface TreeParts {
  readonly names: readonly Reference[];
  readonly images: readonly Image[];
  readonly users: ReadonlySet<Digest>;
}

async function treeOf(
  engine: Engine,
  call: Call,
  root: Descriptor,
  { names, images, users }: TreeParts,
): Promise<PlatformTree> {
  const byManifest = new Map(images.map((image) => [image.manifestDescriptor.digest, image]));
  const branches: PlatformBranch[] = [];
  for (const entry of await listedManifests(await engine.store(), root)) {
    const image = byManifest.get(entry.digest);
    // What is no image, such as an artifact, is not here either.
    if (image !== undefined) branches.push(await presentBranch(engine, call, image, users));
    else if (entry.platform !== undefined) branches.push(absentBranch(entry));
  }
  const present = branches.filter(({ isPresent }) => isPresent);
  const own = images.map((image) => ({ image, platform: platformOf(image) }));
  const [best] = matchPlatforms(own, hostPlatform());
  return {
    tags: names.filter(({ digest }) => digest === undefined).sort(byFamiliarName),
    digests: names.filter(({ digest }) => digest !== undefined),
    id: (best?.image ?? images[0]!).id,
    branches,
    sizeBytes: sum(present.map(({ sizeBytes }) => sizeBytes)),
    contentBytes: sum(present.map(({ contentBytes }) => contentBytes)),
    isUsed: present.some(({ isUsed }) => isUsed),
  };
}

async function presentBranch(
  engine: Engine,
  call: Call,
  image: Image,
  users: ReadonlySet<Digest>,
): Promise<PlatformBranch> {
  const { manifest, manifestDescriptor } = image;
  return {
    id: image.id,
    platform: platformOf(image),
    isPresent: true,
    sizeBytes: await imageSize(engine, call, image),
    contentBytes: sum([manifestDescriptor, manifest.config, ...manifest.layers].map(({ size }) => size)),
    isUsed: users.has(image.id),
  };
}

function absentBranch({ digest, platform }: Descriptor): PlatformBranch {
  return { id: digest, platform, isPresent: false, sizeBytes: 0, contentBytes: 0, isUsed: false };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function byFamiliarName(a: Reference, b: Reference): number {
  return familiarName(a) < familiarName(b) ? -1 : 1;
}

function byName(a: PlatformTree, b: PlatformTree): number {
  const [first, second] = [a, b].map(({ tags, digests, id }) => {
    const [name] = [...tags, ...digests];
    return name === undefined ? `~${id}` : familiarName(name);
  });
  return first! < second! ? -1 : 1;
}
