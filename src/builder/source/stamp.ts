import type { Stats } from 'node:fs';

/** What tells one state of a file from another without reading it. Times in milliseconds, as floats have them. */
export interface FileStamp {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

export function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): FileStamp {
  return { dev, ino, size, mtimeMs, ctimeMs };
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return (
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs &&
    a.dev === b.dev
  );
}

const FINE_SLACK_MS = 100;
const COARSE_SLACK_MS = 2100;

/**
 * Whether a stamp taken at `nowMs` tells every later change apart. A file that changed just before could change
 * again within the same tick of the clock that its file system writes down; one that keeps whole seconds has long ticks.
 */
export function isSettled(stamp: FileStamp, nowMs: number): boolean {
  const slack = stamp.ctimeMs % 1000 === 0 ? COARSE_SLACK_MS : FINE_SLACK_MS;
  return stamp.ctimeMs + slack < nowMs;
}
