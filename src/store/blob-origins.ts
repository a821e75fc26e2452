import { readFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../oci/digest.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { replaceFile } from '../system/file/atomic-file.ts';
import { namesIfThere } from '../system/file/if-there.ts';
import { type HostPaths, partialFolder } from '../system/paths.ts';
import { digestFile } from './ref-path.ts';

const LIMIT = 8;

/** A repository, without tag and digest. */
export type Repository = Pick<Reference, 'domain' | 'path'>;

/**
 * The repositories that blobs were fetched from or pushed to: a push mounts a blob from there, and a layer that was left
 * there can be fetched later. A cache: what is damaged or outdated costs a request.
 */
export interface BlobOrigins {
  /** The last one first. */
  get(digest: Digest): Promise<readonly Repository[]>;
  /** Remembers that the repository has the blobs. */
  add(digests: readonly Digest[], repository: Repository): Promise<void>;
  /** Forgets the blobs that are not in `live`. */
  prune(live: ReadonlySet<Digest>): Promise<void>;
}

/** Origins as files `origins/<algorithm>-<hex>`. */
export class FileBlobOrigins implements BlobOrigins {
  readonly #folder: string;
  readonly #scratch: string;

  constructor(paths: HostPaths) {
    this.#folder = join(paths.root, 'origins');
    this.#scratch = partialFolder(paths.root);
  }

  async get(digest: Digest): Promise<readonly Repository[]> {
    try {
      const names: unknown = JSON.parse(readFileSync(this.#path(digest), 'utf8'));
      return Array.isArray(names) ? names.filter((name) => typeof name === 'string').map(readName) : [];
    } catch {
      return [];
    }
  }

  async add(digests: readonly Digest[], repository: Repository): Promise<void> {
    const isSame = (other: Repository) =>
      other.domain === repository.domain && other.path === repository.path;
    for (const digest of digests) {
      const known = await this.get(digest);
      if (known[0] !== undefined && isSame(known[0])) continue;
      const names = [repository, ...known.filter((other) => !isSame(other))]
        .slice(0, LIMIT)
        .map(({ domain, path }) => `${domain}/${path}`);
      // Neither locked nor fsynced: what two writers or a crash can lose is only a hint.
      await replaceFile(this.#path(digest), JSON.stringify(names), this.#scratch);
    }
  }

  async prune(live: ReadonlySet<Digest>): Promise<void> {
    for (const name of await namesIfThere(this.#folder)) {
      const digest = name.replace('-', ':');
      if (isDigest(digest) && !live.has(digest)) await unlink(join(this.#folder, name));
    }
  }

  #path(digest: Digest): string {
    return join(this.#folder, digestFile(digest));
  }
}

function readName(name: string): Repository {
  const { domain, path } = parseReference(name);
  return { domain, path };
}
