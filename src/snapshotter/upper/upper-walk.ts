import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { isErrno } from '../../errors.ts';
import { joinPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';

/** What something in an upper directory is; overlayfs writes a whiteout as a device 0:0. */
export type UpperType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket' | 'whiteout';

/** Something in an upper layer. */
export interface UpperNode {
  readonly path: BytePath;
  readonly native: string | Buffer;
  readonly type: UpperType;
  readonly stat: BigIntStats;
}

const TYPES: Readonly<Record<number, UpperType>> = {
  1: 'fifo',
  2: 'char',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

/** Reads an upper layer's folders, without following anything. Names are bytes and come sorted by them. */
export class UpperTree {
  readonly #prefix: string;

  constructor(upper: string) {
    this.#prefix = `${Buffer.from(upper).toString('latin1')}/`;
  }

  node(path: BytePath): UpperNode {
    const native = nativePath(this.#prefix + path);
    const stat = lstatSync(native, { bigint: true });
    return { path, native, type: typeOf(stat), stat };
  }

  children(path: BytePath): UpperNode[] {
    return this.#names(path)
      .sort(byBytes)
      .map((name) => this.node(joinPath(path, name)));
  }

  /**
   * All below the root, parents before children. The layer may be in use: what vanishes meanwhile is left out, and so
   * is what lies too deep for a path.
   */
  *walk(path: BytePath = ''): Generator<UpperNode> {
    for (const name of unlessLost(() => this.#names(path)) ?? []) {
      const node = unlessLost(() => this.node(joinPath(path, name)));
      if (node === undefined) continue;
      yield node;
      if (node.type === 'directory') yield* this.walk(node.path);
    }
  }

  #names(path: BytePath): string[] {
    return readdirSync(nativePath(this.#prefix + path), { encoding: 'latin1' });
  }
}

function unlessLost<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

function typeOf(stat: BigIntStats): UpperType {
  const type = TYPES[(Number(stat.mode) >> 12) & 0o17] ?? 'socket';
  return type === 'char' && stat.rdev === 0n ? 'whiteout' : type;
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** The bytes and entries of an upper layer; a file with several names counts once. */
export function measureUpper(upper: string, limits?: { entries: number; sizeBytes: number }) {
  const measured = { sizeBytes: 0, entries: 0 };
  const seen = new Set<bigint>();
  for (const { type, stat } of new UpperTree(upper).walk()) {
    measured.entries++;
    if (type === 'file' && (stat.nlink === 1n || !seen.has(stat.ino)))
      measured.sizeBytes += Number(stat.size);
    if (stat.nlink > 1n) seen.add(stat.ino);
    if (limits !== undefined && isOver(measured, limits)) break;
  }
  return measured;
}

/** Whether an upper layer has more entries or bytes than `limits`. */
export function isOver(
  measured: { readonly entries: number; readonly sizeBytes: number },
  limits: { readonly entries: number; readonly sizeBytes: number },
): boolean {
  return measured.entries > limits.entries || measured.sizeBytes > limits.sizeBytes;
}
