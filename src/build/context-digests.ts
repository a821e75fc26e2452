import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BytePath } from '../layer/layer-change.ts';
import { digestHex, digestOf } from '../oci/digest.ts';
import { temporaryName } from '../system/atomic-file.ts';
import { type FileStamp, isSettled, sameStamp } from './context-stamp.ts';

const MAGIC = 'OCITSCD1';
const HEADER_BYTES = 16;
const NUMBERS = 5;
const DIGEST_BYTES = 32;
const RECORD_BYTES = NUMBERS * 8 + DIGEST_BYTES;

interface Known {
  readonly stamp: FileStamp;
  readonly hex: string;
}

/**
 * The digests of a context's files from earlier builds, each with the stamp that its file had then: a file whose stamp
 * is still the same is not read again. A cache in one compact file below `$OCITS_ROOT/build-cache/contexts`: where it
 * is damaged or missing, everything is read again.
 */
export class ContextDigests {
  readonly #file: string | undefined;
  readonly #saved: SavedDigests;
  readonly #used = new Map<BytePath, Known>();
  #isChanged = false;

  private constructor(file: string | undefined, saved: SavedDigests) {
    this.#file = file;
    this.#saved = saved;
  }

  /** For the context in the folder `contextRoot`; `storeRoot` undefined keeps nothing. */
  static open(storeRoot: string | undefined, contextRoot: string): ContextDigests {
    if (storeRoot === undefined) return new ContextDigests(undefined, NO_DIGESTS);
    const name = digestHex(digestOf(contextRoot)).slice(0, 32);
    const file = join(storeRoot, 'build-cache', 'contexts', name);
    return new ContextDigests(file, readSaved(file));
  }

  /** The file's sha256 in hex, where it was read before in the same state. */
  get(path: BytePath, stamp: FileStamp): string | undefined {
    const known = this.#used.get(path) ?? this.#saved.get(path);
    if (known === undefined || !sameStamp(known.stamp, stamp)) return undefined;
    this.#used.set(path, known);
    return known.hex;
  }

  /** `startedMs`: the clock before the file was read. What changed just before is not kept. */
  set(path: BytePath, stamp: FileStamp, hex: string, startedMs: number): void {
    if (!isSettled(stamp, startedMs)) return;
    this.#used.set(path, { stamp, hex });
    this.#isChanged = true;
  }

  /** Writes what is known, whole or not at all. Does nothing where nothing is new; a full disk is no error. */
  save(): void {
    if (!this.#isChanged || this.#file === undefined) return;
    const all = new Map(this.#used);
    // Other COPY lines may want the rest; a context that has moved on does not.
    if (this.#saved.size < 4 * all.size + 1000) {
      for (const path of this.#saved.paths()) {
        if (!all.has(path)) all.set(path, this.#saved.get(path)!);
      }
    }
    writeWhole(this.#file, encode(all));
    this.#isChanged = false;
  }
}

interface SavedDigests {
  readonly size: number;
  paths(): Iterable<BytePath>;
  get(path: BytePath): Known | undefined;
}

const NO_DIGESTS: SavedDigests = { size: 0, paths: () => [], get: () => undefined };

function readSaved(file: string): SavedDigests {
  try {
    return decode(readFileSync(file)) ?? NO_DIGESTS;
  } catch {
    return NO_DIGESTS;
  }
}

/** Magic, count and length of the paths; stamps; digests; paths with NULs between; the sha256 of all that. */
function encode(all: ReadonlyMap<BytePath, Known>): Buffer {
  const paths = Buffer.from([...all.keys()].join('\0'), 'latin1');
  const buffer = Buffer.alloc(HEADER_BYTES + all.size * RECORD_BYTES + paths.length + DIGEST_BYTES);
  buffer.write(MAGIC, 'latin1');
  buffer.writeUInt32LE(all.size, 8);
  buffer.writeUInt32LE(paths.length, 12);
  let at = HEADER_BYTES;
  let digestAt = HEADER_BYTES + all.size * NUMBERS * 8;
  for (const { stamp, hex } of all.values()) {
    for (const value of [stamp.dev, stamp.ino, stamp.size, stamp.mtimeMs, stamp.ctimeMs]) {
      at = buffer.writeDoubleLE(value, at);
    }
    digestAt += buffer.write(hex, digestAt, 'hex');
  }
  paths.copy(buffer, digestAt);
  checksum(buffer).copy(buffer, buffer.length - DIGEST_BYTES);
  return buffer;
}

function checksum(buffer: Buffer): Buffer {
  return createHash('sha256').update(buffer.subarray(0, -DIGEST_BYTES)).digest();
}

function decode(buffer: Buffer): SavedDigests | undefined {
  if (buffer.length < HEADER_BYTES + DIGEST_BYTES || buffer.toString('latin1', 0, 8) !== MAGIC)
    return undefined;
  const count = buffer.readUInt32LE(8);
  const pathsAt = HEADER_BYTES + count * RECORD_BYTES;
  const end = pathsAt + buffer.readUInt32LE(12);
  if (end + DIGEST_BYTES !== buffer.length || !checksum(buffer).equals(buffer.subarray(end)))
    return undefined;
  const paths = count === 0 ? [] : buffer.toString('latin1', pathsAt, end).split('\0');
  const positions = new Map(paths.map((path, index) => [path, index]));
  return {
    size: count,
    paths: () => paths,
    get(path) {
      const index = positions.get(path);
      if (index === undefined) return undefined;
      const at = HEADER_BYTES + index * NUMBERS * 8;
      const digestAt = HEADER_BYTES + count * NUMBERS * 8 + index * DIGEST_BYTES;
      const number = (which: number) => buffer.readDoubleLE(at + which * 8);
      return {
        stamp: { dev: number(0), ino: number(1), size: number(2), mtimeMs: number(3), ctimeMs: number(4) },
        hex: buffer.toString('hex', digestAt, digestAt + DIGEST_BYTES),
      };
    },
  };
}

function writeWhole(file: string, content: Buffer): void {
  const folder = dirname(file);
  const temporary = temporaryName(folder);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, content, { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
