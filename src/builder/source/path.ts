import { posix } from 'node:path';
import type { BytePath } from '../../layer/layer-change.ts';

/** A BytePath as text; bytes that are not UTF-8 become U+FFFD. */
export function toText(path: BytePath): string {
  return isAscii(path) ? path : Buffer.from(path, 'latin1').toString('utf8');
}

export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** Cleans a path from a root as text: `.`, `..` and doubled slashes are resolved, `..` does not leave the root. */
export function cleanFromRoot(path: string): string {
  return posix.resolve('/', path).slice(1);
}
