import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BytePath } from '../../layer/layer-change.ts';
import { digestHex, digestOf } from '../../oci/digest.ts';
import { replaceFileSync } from '../../system/file/atomic-file.ts';
import { partialFolder } from '../../system/paths.ts';
import { type FileStamp, isSettled } from '../source/stamp.ts';
import { decodeDigests, encodeDigests, type KnownDigest, type SavedDigests } from './digests-file.ts';

/**
 * The digests of a context's files from earlier builds, each with the stamp that its file had then: a file whose stamp
 * is still the same is not read again. A cache in one compact file below `$OCITS_ROOT/build-cache/contexts`: where it
 * is damaged or missing, everything is read again.
 */
export class ContextDigests {
  readonly #place: { readonly file: string; readonly scratch: string } | undefined;
  readonly #saved: SavedDigests | undefined;
  readonly #fresh = new Map<BytePath, KnownDigest>();

  private constructor(place?: { readonly file: string; readonly scratch: string }) {
    this.#place = place;
    this.#saved = place === undefined ? undefined : readSaved(place.file);
  }

  /** For the context in the folder `contextRoot`; `storeRoot` undefined keeps nothing. */
  static open(storeRoot: string | undefined, contextRoot: string): ContextDigests {
    if (storeRoot === undefined) return new ContextDigests();
    const name = digestHex(digestOf(contextRoot)).slice(0, 32);
    const file = join(storeRoot, 'build-cache', 'contexts', name);
    return new ContextDigests({ file, scratch: partialFolder(storeRoot) });
  }

  /** The file's sha256 in hex, where it was read before in the same state. */
  get(path: BytePath, stamp: FileStamp): string | undefined {
    return this.#saved?.get(path, stamp);
  }

  /** `startedMs`: the clock before the file was read. What changed just before is not kept. */
  set(path: BytePath, stamp: FileStamp, hex: string, startedMs: number): void {
    if (isSettled(stamp, startedMs)) this.#fresh.set(path, { stamp, hex });
  }

  /** Writes what is known, whole or not at all. Does nothing where nothing is new; a full disk is no error. */
  save(): void {
    if (this.#place === undefined || this.#fresh.size === 0) return;
    const all = new Map(this.#fresh);
    // Digests that this build has not asked for may be of use to other lines of a Dockerfile. In a context that has
    // changed much they are of none.
    const keepsUnused = (this.#saved?.unused ?? 0) < 4 * (all.size + (this.#saved?.used ?? 0)) + 1000;
    for (const [path, known] of this.#saved?.recordsToKeep(keepsUnused) ?? []) {
      if (!all.has(path)) all.set(path, known);
    }
    try {
      replaceFileSync(this.#place.file, encodeDigests(all), this.#place.scratch);
    } catch {}
  }
}

function readSaved(file: string): SavedDigests | undefined {
  try {
    return decodeDigests(readFileSync(file));
  } catch {
    return undefined;
  }
}
