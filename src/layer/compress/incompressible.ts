/** The smallest piece that is looked at, and a multiple of it the smallest that is told apart. */
const SLICE_BYTES = 32 * 1024;
const LEAST_SLICES = 2;

const STRIDE = 15;
/**
 * Among 2,185 bytes of a slice, how often two are the same: the squares of the counts of all byte values, added up. For
 * random data it is 20,800, for machine code and text five times that or more. Whole numbers, so that no machine's
 * arithmetic gives another layer.
 */
const MOST_COINCIDENCES = 24_000;

const WORDS = 1024;
const MOST_REPEATED_WORDS = 8;

/** A part of a block, which deflate would or would not shrink. */
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly isIncompressible: boolean;
}

/**
 * Cuts a block into runs by what deflate would make of them: media, archives and random data, which take it the most
 * time, and the rest. A quick look that depends on nothing but the bytes; where it errs, some bytes are stored that might
 * have shrunk a little.
 */
export function findRuns(block: Buffer): Run[] {
  const runs: Run[] = [];
  let start = 0;
  for (let at = 0; at < block.length; ) {
    const end = endOfIncompressible(block, at);
    if (end - at >= LEAST_SLICES * SLICE_BYTES) {
      if (start < at) runs.push({ start, end: at, isIncompressible: false });
      runs.push({ start: at, end, isIncompressible: true });
      start = end;
    }
    at = Math.max(end, at + SLICE_BYTES);
  }
  if (start < block.length) runs.push({ start, end: block.length, isIncompressible: false });
  return runs;
}

function endOfIncompressible(block: Buffer, from: number): number {
  let at = from;
  while (at + SLICE_BYTES <= block.length && isIncompressible(block, at)) at += SLICE_BYTES;
  return at;
}

/** None of its bytes are much more frequent than others, and few of its words come twice. */
function isIncompressible(block: Buffer, start: number): boolean {
  return (
    coincidences(block, start) <= MOST_COINCIDENCES && repeatedWords(block, start) <= MOST_REPEATED_WORDS
  );
}

function coincidences(block: Buffer, start: number): number {
  const counts = new Uint16Array(256);
  for (let at = start; at < start + SLICE_BYTES; at += STRIDE) counts[block[at]!]!++;
  let sum = 0;
  for (const count of counts) sum += count * count;
  return sum;
}

/** Flat tables and pictures have all bytes equally often, but in words that return. */
function repeatedWords(block: Buffer, start: number): number {
  const table = new Int32Array(4096);
  let repeated = 0;
  let word = 0;
  for (let at = start; at < start + WORDS; at++) {
    word = (word << 8) | block[at]!;
    const slot = Math.imul(word, 0x9e3779b1) >>> 20;
    if (table[slot] === word) repeated++;
    table[slot] = word;
  }
  return repeated;
}
