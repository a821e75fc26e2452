import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { BytePath, LayerEntry } from '../../layer/layer-change.ts';
import type { MergedEntry, MergedTree } from '../../layer/merge/merged-tree.ts';
import type { CopySource, OpenSource, SourceEntry } from '../source/copy-source.ts';

/** Opens a regular file of the tree. */
export type OpenTreeFile = (entry: MergedEntry) => OpenSource | Promise<OpenSource>;

const CHUNK_BYTES = 1024 * 1024;

/** A stage or image as a source of COPY: what its layers' indexes list, with owners, times and attributes kept. */
export class TreeSource implements CopySource {
  readonly name: string;
  readonly keepsSpecials = true;
  readonly #tree: MergedTree;
  readonly #openFile: OpenTreeFile;

  /** `name`: for messages, such as `stage build`. */
  constructor(name: string, tree: MergedTree, openFile: OpenTreeFile) {
    this.name = name;
    this.#tree = tree;
    this.#openFile = openFile;
  }

  entry(path: BytePath): SourceEntry | undefined {
    if (path === '') return toEntry({ path, entry: undefined, layer: 0 });
    const found = this.#tree.lookup(path, { followLast: false });
    return found === undefined ? undefined : toEntry(found, path);
  }

  children(path: BytePath): readonly SourceEntry[] {
    return this.#tree.children(path).map((found) => toEntry(found));
  }

  whyMissing(): undefined {
    return undefined;
  }

  async open({ path }: SourceEntry): Promise<OpenSource> {
    return await this.#openFile(this.#find(path)!);
  }

  async digests(files: readonly SourceEntry[], signal?: AbortSignal): Promise<readonly string[]> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const digests: string[] = [];
    for (const file of files) {
      signal?.throwIfAborted();
      const opened = await this.open(file);
      try {
        digests.push(hashContent(opened, file.sizeBytes, buffer));
      } finally {
        await opened.close();
      }
    }
    return digests;
  }

  /** All of a small file. */
  async content(file: SourceEntry): Promise<Buffer> {
    const opened = await this.open(file);
    try {
      const content = Buffer.alloc(file.sizeBytes);
      const count = readSync(opened.fd, content, 0, content.length, opened.start ?? 0);
      return content.subarray(0, count);
    } finally {
      await opened.close();
    }
  }

  xattrs({ path }: SourceEntry): ReadonlyMap<string, Buffer> | undefined {
    return this.#find(path)?.entry?.xattrs;
  }

  #find(path: BytePath): MergedEntry | undefined {
    return this.#tree.lookup(path, { followLast: false });
  }
}

function hashContent({ fd, start = 0 }: OpenSource, sizeBytes: number, buffer: Buffer): string {
  const hash = createHash('sha256');
  for (let at = 0; at < sizeBytes; ) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, sizeBytes - at), start + at);
    if (count === 0) break;
    hash.update(buffer.subarray(0, count));
    at += count;
  }
  return hash.digest('hex');
}

/** `path`: where it was asked for; a hard link is the file that it names. */
function toEntry({ path, entry, layer }: MergedEntry, asked: BytePath = path): SourceEntry {
  if (entry === undefined) {
    return { path: asked, type: 'directory', mode: 0o755, uid: 0, gid: 0, sizeBytes: 0, mtimeSeconds: 0 };
  }
  const { mode, uid, gid, mtime } = entry;
  return {
    path: asked,
    type: entry.type === 'hardlink' ? 'file' : entry.type,
    mode,
    uid,
    gid,
    sizeBytes: entry.type === 'file' ? entry.sizeBytes : 0,
    mtimeSeconds: mtime.seconds,
    ...details(entry, layer),
  };
}

function details(
  entry: LayerEntry,
  layer: number,
): Pick<SourceEntry, 'target' | 'major' | 'minor' | 'linkKey'> {
  if (entry.type === 'file') return { linkKey: `${layer}:${entry.path}` };
  if (entry.type === 'symlink') return { target: entry.target };
  return entry.type === 'char' || entry.type === 'block' ? { major: entry.major, minor: entry.minor } : {};
}
