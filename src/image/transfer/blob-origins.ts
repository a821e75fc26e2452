import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../oci/digest.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { replaceFile } from '../../system/file/atomic-file.ts';
import { namesIfThere } from '../../system/file/if-there.ts';
import { partialFolder } from '../../system/paths.ts';

const LIMIT = 8;

/** A repository, without tag and digest. */
export type Repository = Pick<Reference, 'domain' | 'path'>;

/**
 * The repositories that a blob was fetched from or pushed to, the last one first: a push mounts it from there, and
 * a layer that was left there can be fetched later. A cache: what is damaged or outdated costs a request.
 */
export async function blobOrigins(store: Store, digest: Digest): Promise<readonly Repository[]> {
  try {
    const names: unknown = JSON.parse(await readFile(originPath(store, digest), 'utf8'));
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string').map(readName) : [];
  } catch {
    return [];
  }
}

/** Remembers that the repository has the blob. */
export async function addBlobOrigin(store: Store, digest: Digest, repository: Repository): Promise<void> {
  const known = await blobOrigins(store, digest);
  const isSame = (other: Repository) => other.domain === repository.domain && other.path === repository.path;
  if (known[0] !== undefined && isSame(known[0])) return;
  const names = [repository, ...known.filter((other) => !isSame(other))]
    .slice(0, LIMIT)
    .map(({ domain, path }) => `${domain}/${path}`);
  // Neither locked nor fsynced: what two writers or a crash can lose is only a hint.
  const { root } = store.paths;
  await replaceFile(originPath(store, digest), JSON.stringify(names), partialFolder(root));
}

/** Forgets the blobs that are not in `live`. */
export async function pruneBlobOrigins(store: Store, live: ReadonlySet<Digest>): Promise<void> {
  for (const name of await namesIfThere(originsFolder(store))) {
    const digest = name.replace('-', ':');
    if (isDigest(digest) && !live.has(digest)) await unlink(join(originsFolder(store), name));
  }
}

function readName(name: string): Repository {
  const { domain, path } = parseReference(name);
  return { domain, path };
}

function originsFolder(store: Store): string {
  return join(store.paths.root, 'origins');
}

function originPath(store: Store, digest: Digest): string {
  return join(originsFolder(store), `${digestAlgorithm(digest)}-${digestHex(digest)}`);
}
