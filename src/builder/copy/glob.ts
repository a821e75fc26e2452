import type { BytePath } from '../../layer/layer-change.ts';
import type { CopySource, SourceEntry } from '../source/copy-source.ts';
import { toText } from '../source/path.ts';
import { parsePattern } from '../source/pattern.ts';

/** Whether a source of COPY is a pattern: it has `*`, `?` or `[` that no backslash escapes. */
export function hasWildcard(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    if (path[i] === '\\') i++;
    else if ('*?['.includes(path[i]!)) return true;
  }
  return false;
}

/**
 * The entries that match `pattern`, by Go's filepath.Match: no wildcard crosses a slash. `folder` is what stands for
 * the parts in front of the first wildcard, with symlinks followed; the rest is matched part by part, in order of
 * bytes. Throws `syntax` on a bad pattern.
 */
export function matchGlob(source: CopySource, folder: BytePath, pattern: string): SourceEntry[] {
  const [first = '', ...rest] = pattern.split('/');
  // Two stars are one here: only ignore patterns give them another meaning.
  const compiled = parsePattern(`./${first.replace(/\*+/g, '*')}`);
  const found: SourceEntry[] = [];
  for (const entry of source.children(folder)) {
    const name = entry.path.slice(folder === '' ? 0 : folder.length + 1);
    if (compiled?.test(toText(name)) !== true) continue;
    if (rest.length === 0) found.push(entry);
    else if (entry.type === 'directory') found.push(...matchGlob(source, entry.path, rest.join('/')));
  }
  return found;
}
