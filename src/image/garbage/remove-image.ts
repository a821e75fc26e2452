import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { chainIds } from '../../oci/chain-id.ts';
import { type Digest, shortDigest } from '../../oci/digest.ts';
import { familiarName, familiarRepository, type Reference } from '../../oci/reference.ts';
import type { ImageUser } from '../../store/content-roots.ts';
import type { FileLock } from '../../system/task/lock.ts';
import { type FoundImage, requireImage } from '../catalog/find-image.ts';
import { readCatalog, type StoredImage } from '../catalog/image-catalog.ts';
import type { Image } from '../image.ts';
import { collectGarbage } from './collect-garbage.ts';
import { type LiveSet, markOne } from './mark-live.ts';

/** One line that `docker rmi` prints: a name that was taken, or an image or a layer (its chainID) that went. */
export type Removal =
  | { readonly kind: 'untagged'; readonly name: string }
  | { readonly kind: 'deleted'; readonly digest: Digest };

export interface RemoveImageOptions {
  /** Also where several names or a stopped container hold the image. */
  readonly isForced?: boolean | undefined;
}

/** How long a removal waits for other commands before it leaves the content to a later collection. */
const LEASE_WAIT_MS = 500;

/**
 * Removes a name, and with its last name the image and the content that nothing else needs (Docker's `rmi`). An ID
 * stands for all names of the image, where these are of one repository and at most one is a tag, or where forced.
 * Throws `not-found`; `in-use` where a container or further names hold the image.
 */
export async function removeImage(
  engine: Engine,
  { signal }: Call,
  nameOrId: string,
  options: RemoveImageOptions = {},
): Promise<readonly Removal[]> {
  const { leases, refs } = await engine.store();
  const exclusive = await leases.tryExclusive(LEASE_WAIT_MS, signal);
  await using _lease = exclusive ?? (await leases.shared(signal));
  const plan = await planRemoval(engine, nameOrId, options);
  const removals: Removal[] = [];
  for (const reference of plan.names) {
    await refs.delete(reference);
    removals.push({ kind: 'untagged', name: familiarName(reference) });
  }
  for (const stored of plan.kept) await refs.putAnonymous(stored.image.manifestDescriptor);
  for (const stored of plan.doomed) {
    for (const root of stored.roots) await refs.deleteAnonymous(root);
  }
  if (plan.doomed.length === 0) return removals;
  return [...removals, ...(await deleteContent(engine, plan.doomed, exclusive))];
}

interface RemovalPlan {
  readonly names: readonly Reference[];
  /** Images that lose their last name. */
  readonly doomed: readonly StoredImage[];
  /** Images that lose their last name and stay without one, since a running container needs them. */
  readonly kept: readonly StoredImage[];
}

async function planRemoval(
  engine: Engine,
  nameOrId: string,
  options: RemoveImageOptions,
): Promise<RemovalPlan> {
  const store = await engine.store();
  const found = await requireImage(store, nameOrId);
  const catalog = await readCatalog(store);
  const users = await (await engine.contentRoots()).users();
  const isForced = options.isForced === true;
  const names =
    found.reference === undefined ? namesOfId(found, catalog, isForced) : namesOfName(found, catalog);
  const spellings = new Set(names.map(familiarName));
  const isTaken = (name: Reference) => spellings.has(familiarName(name));
  const losers = catalog.filter((stored) => {
    const isAffected = stored.image.id === found.id || namesOf(stored).some(isTaken);
    return isAffected && namesOf(stored).every(isTaken);
  });
  const kept = losers.filter(({ image }) => {
    const user = holderOf(image, users);
    if (user === undefined || (isForced && !user.isRunning)) return false;
    if (isForced && found.reference !== undefined) return true;
    throw inUse(found, user);
  });
  return { names, doomed: losers.filter((stored) => !kept.includes(stored)), kept };
}

function namesOf(stored: StoredImage): readonly Reference[] {
  return [...stored.tags, ...stored.digests];
}

/** The name itself, and the names by digest of its repository where it was the last tag there. */
function namesOfName(found: FoundImage, catalog: readonly StoredImage[]): readonly Reference[] {
  const name = found.reference!;
  const stored = catalog.find(({ image }) => image.id === found.id);
  if (stored === undefined || name.digest !== undefined) return [name];
  const repository = familiarRepository(name);
  const isSameRepository = (other: Reference) => familiarRepository(other) === repository;
  const otherTags = stored.tags.filter((tag) => isSameRepository(tag) && tag.tag !== name.tag);
  return otherTags.length > 0 ? [name] : [name, ...stored.digests.filter(isSameRepository)];
}

function namesOfId(
  found: FoundImage,
  catalog: readonly StoredImage[],
  isForced: boolean,
): readonly Reference[] {
  const stored = catalog.find(({ image }) => image.id === found.id);
  if (stored === undefined) return [];
  const names = namesOf(stored);
  const repositories = new Set(names.map(familiarRepository));
  if (isForced || (repositories.size <= 1 && stored.tags.length <= 1)) return names;
  throw new OcitsError(
    'in-use',
    `conflict: unable to delete ${shortDigest(found.id)} (must be forced) - image is referenced in multiple repositories`,
    { hint: `remove its names one by one, or use --force: ${names.map(familiarName).join(', ')}` },
  );
}

/** A running container goes before a stopped one. */
function holderOf(image: Image, users: readonly ImageUser[]): ImageUser | undefined {
  const own = users.filter(({ imageId }) => imageId === image.id);
  return own.find(({ isRunning }) => isRunning) ?? own[0];
}

function inUse(found: FoundImage, user: ImageUser): OcitsError {
  const container = user.containerId.slice(0, 12);
  const id = shortDigest(found.id);
  if (found.reference !== undefined) {
    const name = JSON.stringify(familiarName(found.reference));
    return new OcitsError(
      'in-use',
      `conflict: unable to remove repository reference ${name} (must force) - container ${container} is using its referenced image ${id}`,
    );
  }
  const how = user.isRunning ? 'cannot be forced' : 'must be forced';
  const state = user.isRunning ? 'running' : 'stopped';
  return new OcitsError(
    'in-use',
    `conflict: unable to delete ${id} (${how}) - image is being used by ${state} container ${container}`,
  );
}

/** Without the exclusive lease somebody may be reading the content: then it waits for the next collection. */
async function deleteContent(
  engine: Engine,
  doomed: readonly StoredImage[],
  exclusive: FileLock | undefined,
): Promise<Removal[]> {
  const removals: Removal[] = doomed.map(({ image }) => ({ kind: 'deleted', digest: image.id }));
  if (exclusive === undefined) return removals;
  const [store, snapshotter] = await Promise.all([engine.store(), engine.snapshotter()]);
  const only: LiveSet = { blobs: new Set(), diffIds: new Set(), chainIds: new Set() };
  for (const stored of doomed) {
    for (const root of [...stored.roots, stored.image.manifestDescriptor]) {
      const reached = await markOne(store, root);
      for (const kind of ['blobs', 'diffIds', 'chainIds'] as const) {
        for (const digest of reached[kind]) only[kind].add(digest);
      }
    }
  }
  const { roots } = await engine.contentRoots();
  const { live } = await collectGarbage(store, snapshotter, { roots, only });
  const gone = new Set<Digest>();
  for (const { image } of doomed) {
    for (const chainId of chainIds(image.config.rootfs.diff_ids).reverse()) {
      if (!live.chainIds.has(chainId)) gone.add(chainId);
    }
  }
  return [...removals, ...[...gone].map((digest) => ({ kind: 'deleted', digest }) as const)];
}
