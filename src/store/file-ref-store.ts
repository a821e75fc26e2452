import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { isErrno, OcitsError, wrapError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Reference } from '../oci/reference.ts';
import { syncFolder, writeFileAtomic } from '../system/file/atomic-file.ts';
import { type HostPaths, partialFolder } from '../system/paths.ts';
import { withLock } from '../system/task/lock.ts';
import type { BlobStore } from './blob-store.ts';
import { digestFile, isRefFolder, referenceAt, refPath } from './ref-path.ts';
import { formatRefRecord, parseRefRecord, type RefRecord } from './ref-record.ts';
import type { NamelessRef, Ref, RefStore } from './ref-store.ts';

/** Below `refs/` no host begins with an underscore. */
const NAMELESS = '_nameless';

/**
 * Refs as small files, `refs/<host>/<repository>/_tags/<tag>` and `…/_digests/<algorithm>-<hex>`; nameless ones in
 * `refs/_nameless/`. Reading takes no lock: a file is replaced by a rename. Every change takes one lock, since it
 * decides by what was there.
 */
export class FileRefStore implements RefStore {
  readonly #refs: string;
  readonly #lock: string;
  readonly #scratch: string;
  readonly #blobs: BlobStore;

  constructor(paths: HostPaths, blobs: BlobStore) {
    this.#refs = join(paths.root, 'refs');
    this.#lock = join(paths.run, 'locks', 'refs');
    this.#scratch = partialFolder(paths.root);
    this.#blobs = blobs;
  }

  async resolve(reference: Reference): Promise<Descriptor | undefined> {
    return readRecord(this.#path(reference))?.descriptor;
  }

  async put(reference: Reference, descriptor: Descriptor): Promise<Descriptor | undefined> {
    return (await this.putAll([reference], descriptor))[0];
  }

  async putAll(
    references: readonly Reference[],
    descriptor: Descriptor,
  ): Promise<readonly (Descriptor | undefined)[]> {
    const paths = references.map((reference) => this.#path(reference));
    const isSet = (path: string) => readRecord(path)?.descriptor.digest === descriptor.digest;
    if (paths.every(isSet)) return paths.map(() => undefined);
    return await this.#change(`cannot set ${paths.join(', ')}`, async () => {
      await this.#blobs.sync();
      const before: (Descriptor | undefined)[] = [];
      for (const path of paths) before.push(isSet(path) ? undefined : await this.#replace(path, descriptor));
      await this.#remove(this.#namelessPath(descriptor));
      return before;
    });
  }

  async putAnonymous(descriptor: Descriptor): Promise<void> {
    const path = this.#namelessPath(descriptor);
    await this.#change(`cannot set ${path}`, async () => {
      await this.#blobs.sync();
      await this.#write(path, descriptor);
    });
  }

  async delete(reference: Reference): Promise<boolean> {
    const path = this.#path(reference);
    return await this.#change(`cannot delete ${path}`, async () => await this.#remove(path));
  }

  async deleteAnonymous(descriptor: Descriptor): Promise<boolean> {
    const path = this.#namelessPath(descriptor);
    return await this.#change(`cannot delete ${path}`, async () => await this.#remove(path));
  }

  async list(): Promise<readonly Ref[]> {
    const refs: Ref[] = [];
    for (const path of refFiles(this.#refs)) {
      const reference = referenceAt(relative(this.#refs, path).split(sep));
      const record = reference === undefined ? undefined : readRecord(path);
      if (reference !== undefined && record !== undefined) refs.push({ reference, ...record });
    }
    return refs;
  }

  async anonymous(): Promise<readonly NamelessRef[]> {
    const folder = join(this.#refs, NAMELESS);
    const records = visibleFiles(folder).map((name) => readRecord(join(folder, name)));
    return records.filter((record) => record !== undefined);
  }

  #path(reference: Reference): string {
    return join(this.#refs, refPath(reference));
  }

  #namelessPath(descriptor: Descriptor): string {
    return join(this.#refs, NAMELESS, digestFile(descriptor.digest));
  }

  async #change<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await withLock(this.#lock, { mode: 'exclusive' }, work);
    } catch (error) {
      throw wrapError(error, 'internal', what);
    }
  }

  /** Sets one ref; what it pointed at before stays without a name. */
  async #replace(path: string, descriptor: Descriptor): Promise<Descriptor | undefined> {
    const before = readRecord(path)?.descriptor;
    if (before !== undefined) await this.#write(this.#namelessPath(before), before);
    await this.#write(path, descriptor);
    return before;
  }

  async #write(path: string, descriptor: Descriptor): Promise<void> {
    await makeDurableFolder(dirname(path));
    await writeFileAtomic(path, formatRefRecord({ descriptor, updatedAt: new Date() }), this.#scratch);
  }

  /** Removes a ref for good: after a crash it must not come back when its content is gone. */
  async #remove(path: string): Promise<boolean> {
    try {
      await unlink(path);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
    await syncFolder(dirname(path));
    for (let folder = dirname(path); folder !== this.#refs; folder = dirname(folder)) {
      if (!(await removeIfEmpty(folder))) break;
    }
    return true;
  }
}

/** Throws `corrupt`: a ref that cannot be read must not look like one that is not there. */
function readRecord(path: string): RefRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw wrapError(error, 'internal', `cannot read ${path}`);
  }
  try {
    return parseRefRecord(text);
  } catch (cause) {
    const hint = 'delete the file, and pull or build the image again';
    throw new OcitsError('corrupt', `${path} is damaged: ${(cause as Error).message}`, { cause, hint });
  }
}

/** All files in `_tags` and `_digests` folders, sorted by path. */
function* refFiles(folder: string): Generator<string> {
  for (const entry of folders(folder)) {
    const path = join(folder, entry);
    if (isRefFolder(entry)) for (const name of visibleFiles(path)) yield join(path, name);
    else if (entry !== NAMELESS) yield* refFiles(path);
  }
}

function folders(folder: string): string[] {
  return entries(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Without temporary files, whose names begin with a dot. */
function visibleFiles(folder: string): string[] {
  return entries(folder)
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw wrapError(error, 'internal', `cannot list ${folder}`);
  }
}

/** Makes a folder and those above it, and makes the names of new ones durable. */
async function makeDurableFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return false;
    throw error;
  }
}
