import type { Time } from '../layer-change.ts';

/** A pax extended header's records; keys and values are latin1. */
export interface PaxRecords {
  readonly values: ReadonlyMap<string, string>;
  /** GNU sparse 0.0 repeats two keys for each run: offsets and lengths in turn. */
  readonly sparseRuns: readonly string[];
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const EQUALS = 0x3d;

/**
 * POSIX pax: reads records of the form `length key=value\n`. A later record of the same key wins. Gives a text that
 * says what is wrong where a record breaks the form.
 */
export function parsePaxRecords(data: Buffer): PaxRecords | string {
  const values = new Map<string, string>();
  const sparseRuns: string[] = [];
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(SPACE, at);
    const lengthText = data.toString('latin1', at, space < 0 || space - at > 10 ? at + 10 : space);
    if (space < 0 || !/^[0-9]+$/.test(lengthText)) return 'has a pax record without a length';
    const end = at + Number(lengthText);
    if (end <= space + 1 || end > data.length || data[end - 1] !== NEWLINE) {
      return 'has a pax record whose length is a lie';
    }
    const equals = data.indexOf(EQUALS, space);
    if (equals <= space + 1 || equals >= end) return 'has a pax record without a key and a value';
    const key = data.toString('latin1', space + 1, equals);
    const value = data.toString('latin1', equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparseRuns.push(value);
    else values.set(key, value);
    at = end;
  }
  return { values, sparseRuns };
}

/** Seconds with a fraction, which may be negative; undefined where that is not what stands there. */
export function parsePaxTime(text: string): Time | undefined {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (match === null) return undefined;
  const whole = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] !== '-') return { seconds: whole, nanoseconds };
  // A time before 1970 counts its nanoseconds upwards from the second before it.
  if (nanoseconds === 0) return { seconds: 0 - whole, nanoseconds };
  return { seconds: -whole - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/** A decimal number from 0; NaN for anything else, Infinity where it is too big. */
export function parsePaxNumber(text: string): number {
  if (!/^[0-9]+$/.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : Infinity;
}
