import type { DataRun } from '../layer-change.ts';
import { readNumber } from './header.ts';
import type { PaxRecords } from './pax-records.ts';
import { parsePaxNumber } from './pax-records.ts';

/** What a pax header says of a sparse file: 0.0 and 0.1 list the runs there, 1.0 at the beginning of the data. */
export interface PaxSparse {
  readonly runs: readonly DataRun[] | 'in-data';
  readonly name: string | undefined;
  readonly sizeBytes: number | undefined;
}

/** GNU tar's sparse formats within pax; undefined where the file is not sparse. Bad numbers are NaN in the result. */
export function readPaxSparse({ values, sparseRuns }: PaxRecords): PaxSparse | undefined {
  const version = `${values.get('GNU.sparse.major') ?? ''}.${values.get('GNU.sparse.minor') ?? ''}`;
  const map = values.get('GNU.sparse.map') || undefined;
  const isOld =
    version === '0.0' || version === '0.1' || (version === '.' && (map ?? sparseRuns[0]) !== undefined);
  if (!isOld && version !== '1.0') return undefined;
  const size = values.get('GNU.sparse.size') || values.get('GNU.sparse.realsize') || undefined;
  return {
    runs: isOld ? pairRuns(map === undefined ? sparseRuns : map.split(',')) : 'in-data',
    name: values.get('GNU.sparse.name') || undefined,
    sizeBytes: size === undefined ? undefined : parsePaxNumber(size),
  };
}

function pairRuns(numbers: readonly string[]): DataRun[] {
  const runs: DataRun[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    runs.push({ offset: parsePaxNumber(numbers[i]!), length: parsePaxNumber(numbers[i + 1] ?? '') });
  }
  return runs;
}

/** The runs in a GNU header block (four, from byte 386) or in a block that extends it (21), and whether another follows. */
export function readGnuRuns(
  block: Buffer,
  place: 'header' | 'extension',
): { runs: DataRun[]; more: boolean } {
  const [start, count] = place === 'header' ? [386, 4] : [0, 21];
  const runs: DataRun[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * 24;
    if (block[at] === 0) break;
    runs.push({ offset: readNumber(block, at, 12), length: readNumber(block, at + 12, 12) });
  }
  return { runs, more: block[start + count * 24] !== 0 };
}

/** Reads the map at the beginning of a sparse 1.0 file's data, block by block. */
export interface SparseMapParser {
  /** Takes a block. Gives the runs once all are there, or a text that says what is wrong. */
  push(block: Buffer): readonly DataRun[] | string | undefined;
}

export function sparseMapParser(): SparseMapParser {
  const numbers: number[] = [];
  let rest = '';
  return {
    push(block) {
      const lines = (rest + block.toString('latin1')).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        numbers.push(parsePaxNumber(line));
        if (Number.isNaN(numbers.at(-1))) return 'has a sparse map that is not made of numbers';
        if (numbers.length === 1 + 2 * numbers[0]!) return pairs(numbers);
      }
      return rest.length > 512 ? 'has a sparse map that is not made of numbers' : undefined;
    },
  };
}

function pairs(numbers: readonly number[]): DataRun[] {
  const runs: DataRun[] = [];
  for (let i = 1; i < numbers.length; i += 2) runs.push({ offset: numbers[i]!, length: numbers[i + 1]! });
  return runs;
}

/**
 * The runs without empty ones, where they are in order, do not overlap, end within the file and add up to the
 * stored bytes; else a text that says what is wrong.
 */
export function checkRuns(
  runs: readonly DataRun[],
  sizeBytes: number,
  storedBytes: number,
): readonly DataRun[] | string {
  let end = 0;
  let total = 0;
  for (const { offset, length } of runs) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      return 'has a sparse map that is not made of sizes';
    }
    if (offset < end) return 'has a sparse map whose runs overlap or are out of order';
    end = offset + length;
    total += length;
    if (end > sizeBytes) return 'has a sparse map that goes past the end of the file';
  }
  if (total !== storedBytes) return `has a sparse map of ${total} bytes but ${storedBytes} are stored`;
  return runs.filter((run) => run.length > 0);
}
