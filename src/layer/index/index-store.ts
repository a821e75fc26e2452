import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, isOcitsError } from '../../errors.ts';
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../oci/digest.ts';
import { replaceFile } from '../../system/file/atomic-file.ts';
import { namesIfThere } from '../../system/file/if-there.ts';
import { partialFolder } from '../../system/paths.ts';
import { decodeIndex, type LayerIndex } from './layer-index.ts';

/** The layer indexes below `$OCITS_ROOT/indexes/`, by diffID. A cache: any of them can be made again from its layer. */
export interface IndexStore {
  /** Undefined where there is none, or one that is damaged or of another version. */
  get(diffId: Digest): Promise<LayerIndex | undefined>;
  /**
   * Stores the bytes that a LayerIndexBuilder gave: atomic, but not for a crash of the machine. Doing it again does no
   * harm.
   */
  put(diffId: Digest, bytes: Uint8Array): Promise<void>;
  delete(diffId: Digest): Promise<void>;
  list(): AsyncIterable<Digest>;
}

/** `root` is `$OCITS_ROOT`; folders are made as needed. */
export function openIndexStore(root: string): IndexStore {
  const folder = join(root, 'indexes');
  const pathOf = (diffId: Digest) => join(folder, digestAlgorithm(diffId), digestHex(diffId));
  return {
    get: (diffId) => load(pathOf(diffId)),
    // Not fsynced: one that a crash has damaged fails its checksum, and is made again.
    put: (diffId, bytes) => replaceFile(pathOf(diffId), bytes, partialFolder(root)),
    delete: (diffId) => rm(pathOf(diffId), { force: true }),
    list: () => list(folder),
  };
}

async function load(path: string): Promise<LayerIndex | undefined> {
  try {
    return decodeIndex(await readFile(path));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isOcitsError(error, 'corrupt')) return undefined;
    throw error;
  }
}

async function* list(folder: string): AsyncGenerator<Digest, void, undefined> {
  for (const algorithm of await namesIfThere(folder)) {
    for (const hex of await namesIfThere(join(folder, algorithm))) {
      const digest = `${algorithm}:${hex}`;
      if (isDigest(digest)) yield digest;
    }
  }
}
