/**
 * The room of COPY and ADD: what the sources stand for (`select`), the digest of that for the cache
 * (`content-digest`), where each file goes (`plan`), and the layer's tar (`write`). `step` calls it in this order,
 * and `run` for bind mounts of the context. It mounts nothing and needs no root: the tar is written straight from
 * where the files are.
 *
 *     const selection = await selectCopy({ instruction, file: 'Dockerfile', source });
 *     const digest = await copyDigest(selection, signal);
 *     const request = { selection, file: 'Dockerfile', destination, workdir, base, timeSeconds: 0, scratch };
 *     await using plan = await planCopy(request);
 *     await writeCopyLayer(plan, writer, { signal });
 */

import type { Word } from '../../dockerfile/source.ts';
import { isOcitsError } from '../../errors.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import type { MergedTree } from '../../layer/merge/merged-tree.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import { ArchiveFolder } from '../add/archive.ts';
import { detectArchive } from '../add/archive-form.ts';
import { openHostFile } from '../add/remote.ts';
import { copyError, quotePath } from '../source/copy-error.ts';
import type { SourceEntry } from '../source/copy-source.ts';
import { cleanFromRoot } from '../source/path.ts';
import type { SelectedEntry } from '../source/walk.ts';
import type { ModeChange } from '../target/mode.ts';
import type { CopyOwner } from '../target/owner.ts';
import { type MadeFolders, madeFolders, type PlannedEntry, TargetTree } from '../target/target.ts';
import type { CopySelection, SelectedPath, SelectedRemote, SelectedSource } from './select.ts';

export interface PlanRequest {
  readonly selection: CopySelection;
  /** The Dockerfile's name, and the destination as it was written and expanded. */
  readonly file: string;
  readonly destination: Word;
  /** Absolute: what a relative destination starts from. */
  readonly workdir: string;
  /** What the layers below show; undefined for `FROM scratch`, and where the layer is to stand alone (`--link`). */
  readonly base: MergedTree | undefined;
  readonly owner?: CopyOwner | undefined;
  readonly mode?: ModeChange | undefined;
  /** The time of what has none of its own, such as a here-document. */
  readonly timeSeconds: number;
  /** A private folder: archives are unpacked into it. The plan needs it until it is written. */
  readonly scratch: string;
  readonly signal?: AbortSignal | undefined;
}

/** The layer of a COPY or ADD, entry by entry in the order of its tar. Disposing lets go of opened archives. */
export interface CopyPlan extends AsyncDisposable {
  readonly entries: readonly PlannedEntry[];
}

/**
 * Decides where everything of a COPY or ADD goes, as BuildKit does: symlinks of the image are followed inside it,
 * missing folders are made (0755, owned by root or whom `--chown` names), what is in a copied folder goes into the
 * destination, a file goes by its own name into a destination that is a folder or ends in `/`. Where several files go
 * to one place, the last one stays. Throws `syntax` and `invalid-argument` at the destination or the source at fault;
 * `unsupported` for what a layer cannot hold.
 */
export async function planCopy(request: PlanRequest): Promise<CopyPlan> {
  const archives = new ArchiveFolder(request.scratch, request.signal);
  try {
    const entries = await new CopyPlanner(request, archives).plan();
    return { entries, [Symbol.asyncDispose]: () => archives[Symbol.asyncDispose]() };
  } catch (error) {
    await archives[Symbol.asyncDispose]();
    throw error;
  }
}

class CopyPlanner {
  readonly #request: PlanRequest;
  readonly #archives: ArchiveFolder;
  readonly #target: TargetTree;
  readonly #folders: MadeFolders;
  readonly #destination: string;
  readonly #isFolder: boolean;

  constructor(request: PlanRequest, archives: ArchiveFolder) {
    this.#request = request;
    this.#archives = archives;
    this.#target = new TargetTree(request.base);
    this.#folders = madeFolders(request.owner, request.mode, newestSeconds(request));
    const { text } = request.destination;
    this.#isFolder = text === '' || text === '.' || text.endsWith('/');
    this.#destination = toBytes(text.startsWith('/') ? text : `${request.workdir}/${text}`);
  }

  async plan(): Promise<PlannedEntry[]> {
    for (const [index, selected] of this.#request.selection.sources.entries()) {
      try {
        await this.#place(selected, index);
      } catch (error) {
        throw this.#located(selected.word, error);
      }
    }
    return this.#target.entries();
  }

  async #place(selected: SelectedSource, index: number): Promise<void> {
    if (selected.kind === 'content') {
      const { content, name } = selected;
      const entry = plainFile(name, 0o644, content.length, this.#request.timeSeconds);
      this.#placeFile(selected, name, entry, content);
    } else if (selected.kind === 'remote') await this.#placeRemote(selected);
    else if (selected.archive !== undefined) {
      const { source, root, archive } = selected;
      const opened = await source.open(root);
      try {
        await this.#placeArchive(selected.word, opened.fd, archive);
      } finally {
        await opened.close();
      }
    } else this.#placePath(selected, index);
  }

  async #placeRemote(selected: SelectedRemote): Promise<void> {
    const { path, sizeBytes, mtimeSeconds } = await selected.file.load();
    const opened = openHostFile(path);
    try {
      const form = selected.unpacks ? await detectArchive(opened.fd) : undefined;
      if (form !== undefined) return await this.#placeArchive(selected.word, opened.fd, form);
    } finally {
      await opened.close();
    }
    const entry = plainFile(selected.name, 0o600, sizeBytes, mtimeSeconds);
    this.#placeFile(selected, selected.name, entry, () => openHostFile(path));
  }

  async #placeArchive(word: Word, fd: number, form: NonNullable<SelectedPath['archive']>): Promise<void> {
    const { file, owner } = this.#request;
    const into = this.#target.resolve(cleanFromRoot(this.#destination));
    const folders = { ...this.#folders, mode: 0o755 };
    this.#target.makeFolders(into, folders);
    for await (const entry of this.#archives.read(file, word, fd, form)) {
      const folder = entry.path.slice(0, Math.max(entry.path.lastIndexOf('/'), 0));
      const parent = this.#target.resolve(`${into}/${folder}`);
      this.#target.makeFolders(parent, folders);
      const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
      this.#target.put({ ...entry, path: parent === '' ? name : `${parent}/${name}`, ...owner });
    }
  }

  #placePath(selected: SelectedPath, index: number): void {
    const { root, source, name, entries } = selected;
    if (root.type !== 'directory') {
      this.#placeFile(selected, name, root, () => source.open(root), source.xattrs?.(root));
      return;
    }
    this.#makeParents();
    const into = this.#target.resolve(cleanFromRoot(this.#destination));
    const there = this.#target.look(into);
    if (there !== undefined && there.type !== 'directory') throw this.#notFolder(into);
    this.#target.makeFolders(into, this.#folders);
    for (const below of entries) this.#placeBelow(selected, { into, index }, below);
  }

  #placeBelow(
    { source, word }: SelectedPath,
    { into, index }: { readonly into: BytePath; readonly index: number },
    { below, entry, isImplied }: SelectedEntry,
  ): void {
    const path = into === '' ? below : `${into}/${below}`;
    const there = this.#target.look(path);
    const isFolder = entry.type === 'directory';
    if (isFolder && there !== undefined && there.type !== 'directory') throw this.#notFolder(path);
    if (!isFolder && there?.type === 'directory') throw this.#isAFolder(word, path);
    if (isImplied && there !== undefined) {
      // BuildKit gives a folder that leads to something the mode of the copied one, and nothing else of it.
      this.#target.changeMode(path, entry.mode);
      return;
    }
    const content = entry.type === 'file' ? () => source.open(entry) : undefined;
    // Names of one file stay so within one source; BuildKit, too, copies each source by itself.
    const linkKey = entry.linkKey === undefined ? undefined : `${index} ${entry.linkKey}`;
    this.#put(word, path, entry, { content, linkKey, xattrs: source.xattrs?.(entry) });
  }

  /** A file, and whatever else is no folder: into the destination where that is a folder, else as the destination. */
  #placeFile(
    { word }: SelectedSource,
    name: BytePath,
    entry: SourceEntry,
    content: PlannedEntry['content'],
    xattrs?: ReadonlyMap<string, Buffer>,
  ): void {
    this.#makeParents();
    const into = this.#target.resolve(cleanFromRoot(this.#destination));
    const isFolder = this.#target.look(into)?.type === 'directory';
    const path = !isFolder ? into : into === '' ? name : `${into}/${name}`;
    if (isFolder && this.#target.look(path)?.type === 'directory') throw this.#isAFolder(word, path);
    this.#put(word, path, entry, { content: entry.type === 'file' ? content : undefined, xattrs });
  }

  #makeParents(): void {
    const clean = cleanFromRoot(this.#destination);
    const parent = this.#isFolder ? clean : clean.slice(0, Math.max(clean.lastIndexOf('/'), 0));
    this.#target.makeFolders(this.#target.resolve(parent), this.#folders);
    // The last part may be a symlink that points at nothing yet: then the place where it leads needs folders, too.
    const into = this.#target.resolve(clean);
    this.#target.makeFolders(into.slice(0, Math.max(into.lastIndexOf('/'), 0)), this.#folders);
  }

  #put(
    word: Word,
    path: BytePath,
    entry: SourceEntry,
    more: Pick<PlannedEntry, 'content' | 'linkKey' | 'xattrs'>,
  ): void {
    const { mode, owner, file } = this.#request;
    const { type, uid, gid, mtimeSeconds, sizeBytes, target, major, minor } = entry;
    if (type === 'socket') throw copyError(file, word, 'unsupported', `${quotePath(path)} is a socket`);
    if (/(?:^|\/)\.wh\.[^/]*$/.test(path)) {
      const message = `${quotePath(path)} cannot be in a layer: names that begin with .wh. delete what lies below`;
      throw copyError(file, word, 'unsupported', message, 'rename it, or list it in .dockerignore');
    }
    const changed = mode !== undefined && type !== 'symlink';
    this.#target.put({
      path,
      type,
      mode: changed ? mode.apply(entry.mode, type === 'directory') : entry.mode,
      uid: owner?.uid ?? uid,
      gid: owner?.gid ?? gid,
      mtimeSeconds,
      sizeBytes,
      target,
      ...(major === undefined ? {} : { major, minor: minor ?? 0 }),
      ...more,
    });
  }

  #notFolder(path: BytePath): Error {
    const { file, destination } = this.#request;
    const message = `a folder cannot be copied onto ${quotePath(`/${path}`)}, which is no folder`;
    return copyError(file, destination, 'invalid-argument', message, 'remove it first, or copy elsewhere');
  }

  #isAFolder(word: Word, path: BytePath): Error {
    const message = `a file cannot take the place of the folder ${quotePath(`/${path}`)}`;
    return copyError(
      this.#request.file,
      word,
      'invalid-argument',
      message,
      'remove the folder first, or copy elsewhere',
    );
  }

  /** A fault of the tree below is told at the destination, a fault of what is copied at the source. */
  #located(word: Word, error: unknown): unknown {
    if (!isOcitsError(error) || error.location !== undefined) return error;
    const { file, destination } = this.#request;
    const { code, message, hint } = error;
    if (code === 'invalid-argument' || code === 'hostile') {
      return copyError(file, destination, 'invalid-argument', message, hint);
    }
    return code === 'unsupported' || code === 'corrupt' ? copyError(file, word, code, message, hint) : error;
  }
}

function plainFile(path: BytePath, mode: number, sizeBytes: number, mtimeSeconds: number): SourceEntry {
  return { path, type: 'file', mode, uid: 0, gid: 0, sizeBytes, mtimeSeconds };
}

/** Folders that are made are as old as the newest thing that goes into them: so they depend on no clock. */
function newestSeconds({ selection, timeSeconds }: PlanRequest): number {
  let newest = Number.NEGATIVE_INFINITY;
  for (const selected of selection.sources) {
    if (selected.kind !== 'path') continue;
    if (selected.root.type !== 'directory') newest = Math.max(newest, selected.root.mtimeSeconds);
    for (const { entry } of selected.entries) newest = Math.max(newest, entry.mtimeSeconds);
  }
  return Number.isFinite(newest) ? newest : timeSeconds;
}
