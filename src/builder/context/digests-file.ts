import { createHash } from 'node:crypto';
import type { BytePath } from '../../layer/layer-change.ts';
import type { FileStamp } from '../source/stamp.ts';

export interface KnownDigest {
  readonly stamp: FileStamp;
  /** sha256, in hex. */
  readonly hex: string;
}

/** The digests that a file holds. */
export interface SavedDigests {
  /** How many have been asked for with the right stamp, and how many not. */
  readonly used: number;
  readonly unused: number;
  /** The digest of `path` where it was taken in this state. */
  get(path: BytePath, stamp: FileStamp): string | undefined;
  /** Those that were used, and the rest where `withUnused`. */
  recordsToKeep(withUnused: boolean): Iterable<readonly [BytePath, KnownDigest]>;
}

const MAGIC = 'OCITSCD1';
const HEADER_BYTES = 16;
const NUMBERS = 5;
const DIGEST_BYTES = 32;
const RECORD_BYTES = NUMBERS * 8 + DIGEST_BYTES;

/** Magic, count and length of the paths; stamps; digests; paths with NULs between; the sha256 of all that. */
export function encodeDigests(all: ReadonlyMap<BytePath, KnownDigest>): Buffer {
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

/** Undefined where the bytes are damaged or not of this version. */
export function decodeDigests(buffer: Buffer): SavedDigests | undefined {
  if (buffer.length < HEADER_BYTES + DIGEST_BYTES || buffer.toString('latin1', 0, 8) !== MAGIC)
    return undefined;
  const count = buffer.readUInt32LE(8);
  const digestsAt = HEADER_BYTES + count * NUMBERS * 8;
  const pathsAt = HEADER_BYTES + count * RECORD_BYTES;
  const end = pathsAt + buffer.readUInt32LE(12);
  if (end + DIGEST_BYTES !== buffer.length || !checksum(buffer).equals(buffer.subarray(end)))
    return undefined;
  const paths = count === 0 ? [] : buffer.toString('latin1', pathsAt, end).split('\0');
  if (paths.length !== count) return undefined;
  return new DecodedDigests(buffer, digestsAt, paths);
}

class DecodedDigests implements SavedDigests {
  used = 0;
  readonly #buffer: Buffer;
  readonly #digestsAt: number;
  readonly #paths: readonly BytePath[];
  readonly #positions: ReadonlyMap<BytePath, number>;
  /** Copied, for the buffer may begin anywhere. */
  readonly #numbers: Float64Array;
  readonly #isUsed: Uint8Array;

  constructor(buffer: Buffer, digestsAt: number, paths: readonly BytePath[]) {
    this.#buffer = buffer;
    this.#digestsAt = digestsAt;
    this.#paths = paths;
    this.#positions = new Map(paths.map((path, index) => [path, index]));
    const from = buffer.byteOffset + HEADER_BYTES;
    this.#numbers = new Float64Array(buffer.buffer.slice(from, buffer.byteOffset + digestsAt));
    this.#isUsed = new Uint8Array(paths.length);
  }

  get unused(): number {
    return this.#paths.length - this.used;
  }

  get(path: BytePath, { dev, ino, size, mtimeMs, ctimeMs }: FileStamp): string | undefined {
    const index = this.#positions.get(path);
    if (index === undefined) return undefined;
    const numbers = this.#numbers;
    const at = index * NUMBERS;
    const isSame =
      numbers[at] === dev &&
      numbers[at + 1] === ino &&
      numbers[at + 2] === size &&
      numbers[at + 3] === mtimeMs &&
      numbers[at + 4] === ctimeMs;
    if (!isSame) return undefined;
    this.used += 1 - this.#isUsed[index]!;
    this.#isUsed[index] = 1;
    return this.#hex(index);
  }

  *recordsToKeep(withUnused: boolean): Generator<readonly [BytePath, KnownDigest]> {
    for (const [index, path] of this.#paths.entries()) {
      if (!withUnused && this.#isUsed[index] === 0) continue;
      const at = index * NUMBERS;
      const [dev, ino, size, mtimeMs, ctimeMs] = this.#numbers.subarray(at, at + NUMBERS) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      yield [path, { stamp: { dev, ino, size, mtimeMs, ctimeMs }, hex: this.#hex(index) }];
    }
  }

  #hex(index: number): string {
    const at = this.#digestsAt + index * DIGEST_BYTES;
    return this.#buffer.toString('hex', at, at + DIGEST_BYTES);
  }
}
