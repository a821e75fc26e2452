import type { Word } from '../../dockerfile/source.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { copyError } from './copy-error.ts';
import type { CopySource, SourceEntry } from './copy-source.ts';
import { type MatchState, type Pattern, PatternList, parsePattern } from './pattern.ts';

/** Something below a folder that is copied. */
export interface SelectedEntry {
  /** From the copied folder on. */
  readonly below: BytePath;
  readonly entry: SourceEntry;
  /** A folder that no pattern names, that only leads to something: it is made where it is missing, and not changed. */
  readonly isImplied: boolean;
}

/** What `--exclude` leaves out, and what `--parents` takes. Patterns apply to paths from the copied folder on. */
export interface CopyFilter {
  readonly excluded: PatternList;
  /** Undefined: everything. */
  readonly included: PatternList | undefined;
  /** The same, but only what `pattern` matches, and what is in folders that it matches. Throws `syntax`. */
  only(word: Word, pattern: string): CopyFilter;
}

/** Throws `syntax` at a bad pattern of `excludes`. */
export function copyFilter(file: string, excludes: readonly Word[]): CopyFilter {
  const read = (word: Word, text = word.text): Pattern | undefined => {
    try {
      return parsePattern(text);
    } catch (error) {
      throw copyError(file, word, 'syntax', (error as Error).message);
    }
  };
  const excluded = new PatternList(excludes.flatMap((word) => read(word) ?? []));
  const only = (word: Word, pattern: string): CopyFilter => {
    const parsed = read(word, pattern);
    return { excluded, included: parsed === undefined ? undefined : new PatternList([parsed]), only };
  };
  return { excluded, included: undefined, only };
}

/** All below the folder `root` that the filter lets through, parents before children, each folder sorted by bytes. */
export function collectEntries(
  source: CopySource,
  root: BytePath,
  filter: CopyFilter,
  onSkipped: (entry: SourceEntry) => void,
): SelectedEntry[] {
  const found: SelectedEntry[] = [];
  const cut = root === '' ? 0 : root.length + 1;
  const { excluded, included } = filter;
  const visit = (folder: BytePath, outState: MatchState, inState: MatchState | undefined): void => {
    for (const entry of source.children(folder)) {
      const below = entry.path.slice(cut);
      const out = excluded.match(below, outState);
      if (out.decidedBy !== undefined && !(entry.type === 'directory' && excluded.mayReinclude(below)))
        continue;
      const into = inState === undefined ? undefined : included?.match(below, inState);
      const isTaken = out.decidedBy === undefined && (into === undefined || into.decidedBy !== undefined);
      if (entry.type === 'directory') {
        const at = found.length;
        if (isTaken) found.push({ below, entry, isImplied: false });
        if (isTaken || out.decidedBy !== undefined || included?.mayMatchBelow(below)) {
          visit(entry.path, out.state, into?.state);
        }
        if (!isTaken && found.length > at) found.splice(at, 0, { below, entry, isImplied: true });
      } else if (isTaken) {
        if (isSpecial(source, entry)) onSkipped(entry);
        else found.push({ below, entry, isImplied: false });
      }
    }
  };
  visit(root, excluded.root, included?.root);
  return found;
}

function isSpecial(source: CopySource, { type }: SourceEntry): boolean {
  if (type === 'file' || type === 'symlink') return false;
  return type === 'socket' || !source.keepsSpecials;
}
