import type {
  AddInstruction,
  CopyInstruction,
  DockerfileWarning,
  Heredoc,
} from '../../dockerfile/instruction.ts';
import type { Word } from '../../dockerfile/source.ts';
import { isOcitsError } from '../../errors.ts';
import type { CompressionFormat } from '../../layer/compression-format.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import { detectArchive } from '../add/archive-form.ts';
import { type RemoteFile, remoteKind } from '../add/remote.ts';
import { copyError, quotePath } from '../source/copy-error.ts';
import type { CopySource, SourceEntry } from '../source/copy-source.ts';
import { cleanFromRoot } from '../source/path.ts';
import { resolvePath } from '../source/resolve.ts';
import { type CopyFilter, collectEntries, copyFilter, type SelectedEntry } from '../source/walk.ts';
import { hasWildcard, matchGlob } from './glob.ts';
import { missingSource, nearNames } from './missing.ts';

/** A file or folder of the tree that is copied from. */
export interface SelectedPath {
  readonly kind: 'path';
  readonly word: Word;
  readonly source: CopySource;
  /** What is copied, symlinks followed. */
  readonly root: SourceEntry;
  /** The name that a file gets in a destination folder: the last part of its path, before a symlink was followed. */
  readonly name: string;
  /** All that goes along from within a folder, parents before children. */
  readonly entries: readonly SelectedEntry[];
  /** ADD: the file is an archive that is to be unpacked. */
  readonly archive?: CompressionFormat | undefined;
}

/** A here-document. */
interface SelectedContent {
  readonly kind: 'content';
  readonly word: Word;
  readonly name: string;
  readonly content: Buffer;
}

/** ADD: a file that was fetched. */
export interface SelectedRemote {
  readonly kind: 'remote';
  readonly word: Word;
  readonly name: BytePath;
  readonly file: RemoteFile;
  /** `--unpack`: where it is an archive, what is in it is taken instead. */
  readonly unpacks: boolean;
}

export type SelectedSource = SelectedPath | SelectedContent | SelectedRemote;

/** All that a COPY or ADD takes, before anything is known of where it goes. */
export interface CopySelection {
  readonly sources: readonly SelectedSource[];
  readonly warnings: readonly DockerfileWarning[];
}

export interface SelectRequest {
  /** With its variables expanded. */
  readonly instruction: CopyInstruction | AddInstruction;
  /** The Dockerfile's name, for messages. */
  readonly file: string;
  /** What paths are looked up in. */
  readonly source: CopySource;
  /** Gets what an ADD names by a URL. Needed only where it does. */
  readonly fetch?: ((url: Word, checksum: Word | undefined) => Promise<RemoteFile>) | undefined;
}

/**
 * Finds what the sources of a COPY or ADD stand for: files, folders with all that is in them, patterns, here-documents,
 * URLs. Throws `not-found` at the source that is not there, with the pattern that ignores it or with near names;
 * `unsupported` for git repositories; `syntax` for bad patterns. A pattern that matches nothing is a warning, as
 * BuildKit builds on.
 */
export async function selectCopy(request: SelectRequest): Promise<CopySelection> {
  return await new Selector(request).select();
}

class Selector {
  readonly #request: SelectRequest;
  readonly #filter: CopyFilter;
  readonly #warnings: DockerfileWarning[] = [];

  constructor(request: SelectRequest) {
    this.#request = request;
    this.#filter = copyFilter(request.file, request.instruction.excludes);
  }

  async select(): Promise<CopySelection> {
    const { instruction } = this.#request;
    const sources: SelectedSource[] = [];
    for (const word of instruction.sources) {
      const remote = remoteKind(word.text);
      try {
        if (remote === undefined) sources.push(...(await this.#paths(word)));
        else sources.push(await this.#remote(word, remote));
      } catch (error) {
        throw this.#located(word, error);
      }
    }
    for (const heredoc of instruction.contents) sources.push(contentOf(heredoc));
    return { sources, warnings: this.#warnings };
  }

  #located(word: Word, error: unknown): unknown {
    if (!isOcitsError(error) || error.location !== undefined || error.code === 'aborted') return error;
    return copyError(this.#request.file, word, error.code, error.message, error.hint);
  }

  async #remote(word: Word, kind: 'http' | 'git'): Promise<SelectedRemote> {
    const { instruction, file, fetch } = this.#request;
    if (instruction.kind === 'COPY') {
      throw copyError(file, word, 'syntax', `COPY cannot copy from a URL: ${word.text}`, 'use ADD for it');
    }
    if (kind === 'git' || fetch === undefined) {
      const hint = 'clone it beside the Dockerfile, or ADD an archive of it by https';
      throw copyError(file, word, 'unsupported', `ADD cannot fetch a git repository yet: ${word.text}`, hint);
    }
    const fetched = await fetch(word, instruction.checksum);
    return { kind: 'remote', word, name: fetched.name, file: fetched, unpacks: instruction.unpack === true };
  }

  async #paths(word: Word): Promise<SelectedPath[]> {
    const { instruction, file } = this.#request;
    if (instruction.kind === 'ADD' && instruction.checksum !== undefined) {
      throw copyError(
        file,
        instruction.checksum,
        'syntax',
        'a checksum is only for a file fetched by http or https',
      );
    }
    const pivot = splitPivot(word.text, instruction.parents);
    const filter = pivot.pattern === undefined ? this.#filter : this.#filter.only(word, pivot.pattern);
    const matches = this.#match(word, pivot.path);
    const selected = await Promise.all(matches.map((match) => this.#selectPath(word, match, filter)));
    this.#checkTaken(word, pivot, selected);
    return selected;
  }

  /** What a source without its pivot stands for: the entries, and their paths as they were named. */
  #match(word: Word, path: string): { readonly entry: SourceEntry; readonly named: BytePath }[] {
    const { source, file } = this.#request;
    const clean = cleanFromRoot(path);
    if (!hasWildcard(clean)) {
      const entry = this.#followed(toBytes(clean));
      if (entry === undefined) throw missingSource(file, word, source, toBytes(clean));
      return [{ entry, named: toBytes(clean) }];
    }
    const parts = clean.split('/');
    const first = parts.findIndex(hasWildcard);
    const folder = resolvePath((at) => source.entry(at), toBytes(parts.slice(0, first).join('/')));
    const found = matchGlob(source, folder, parts.slice(first).join('/'));
    const kept = found.filter((entry) => entry.type === 'directory' || !this.#isExcluded(entry.path));
    return kept.map(({ path: named }) => {
      const entry = this.#followed(named);
      if (entry === undefined) throw missingSource(file, word, source, named);
      return { entry, named };
    });
  }

  /** A file that a pattern has found is left out by its name. */
  #isExcluded(path: BytePath): boolean {
    const { excluded } = this.#filter;
    return excluded.match(path.slice(path.lastIndexOf('/') + 1), excluded.root).decidedBy !== undefined;
  }

  #followed(path: BytePath): SourceEntry | undefined {
    const { source } = this.#request;
    return source.entry(resolvePath((at) => source.entry(at), path));
  }

  async #selectPath(
    word: Word,
    { entry, named }: { readonly entry: SourceEntry; readonly named: BytePath },
    filter: CopyFilter,
  ): Promise<SelectedPath> {
    const { instruction, source, file } = this.#request;
    const base = {
      kind: 'path',
      word,
      source,
      root: entry,
      name: named.slice(named.lastIndexOf('/') + 1),
    } as const;
    if (entry.type === 'directory') {
      const skipped = (special: SourceEntry) => this.#warnSkipped(word, special);
      return { ...base, entries: collectEntries(source, entry.path, filter, skipped) };
    }
    if (entry.type !== 'file' && !(source.keepsSpecials && entry.type !== 'socket')) {
      const message = `${quotePath(named)} is a ${entry.type}, which cannot be copied`;
      throw copyError(file, word, 'unsupported', message);
    }
    const unpacks = instruction.kind === 'ADD' && instruction.unpack !== false && entry.type === 'file';
    const archive = unpacks ? await this.#archiveForm(entry) : undefined;
    return { ...base, entries: [], archive };
  }

  async #archiveForm(entry: SourceEntry): Promise<CompressionFormat | undefined> {
    const opened = await this.#request.source.open(entry);
    try {
      return await detectArchive(opened.fd);
    } finally {
      await opened.close();
    }
  }

  #checkTaken(word: Word, pivot: Pivot, selected: readonly SelectedPath[]): void {
    const { source, file } = this.#request;
    const { pattern } = pivot;
    const isEmpty = selected.every(({ root, entries }) => root.type === 'directory' && entries.length === 0);
    if (pattern !== undefined && isEmpty && !hasWildcard(pivot.path) && !hasWildcard(pattern)) {
      throw missingSource(file, word, source, toBytes(cleanFromRoot(`${pivot.path}/${pattern}`)));
    }
    if (selected.length > 0) return;
    const near = nearNames(source, '');
    const message = `${word.text} matches nothing in ${source.name}${near === '' ? '' : ` (there is ${near})`}`;
    this.#warnings.push({ rule: 'CopyMatchesNothing', message, range: { start: word.at, end: word.at } });
  }

  #warnSkipped(word: Word, entry: SourceEntry): void {
    const message = `${quotePath(entry.path)} is a ${entry.type} and is left out`;
    this.#warnings.push({ rule: 'CopySkipsSpecial', message, range: { start: word.at, end: word.at } });
  }
}

interface Pivot {
  readonly path: string;
  /** `--parents`: what is taken from `path`, with the folders above it. */
  readonly pattern: string | undefined;
}

/** `--parents a/./b/c`: from `a`, everything that is `b/c`; without `/./`, from the root. */
function splitPivot(text: string, parents: boolean): Pivot {
  if (!parents) return { path: text, pattern: undefined };
  const at = text.indexOf('/./');
  if (at < 0) return { path: '/', pattern: cleanFromRoot(text) };
  return { path: text.slice(0, at) || '/', pattern: cleanFromRoot(text.slice(at + 3)) };
}

function contentOf(heredoc: Heredoc): SelectedContent {
  const content = heredoc.chomp ? heredoc.content.replace(/^\t+/gm, '') : heredoc.content;
  return {
    kind: 'content',
    word: { text: `<<${heredoc.name}`, at: heredoc.at },
    name: toBytes(heredoc.name),
    content: Buffer.from(content, 'utf8'),
  };
}
