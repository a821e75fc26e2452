import type { Word } from '../../dockerfile/source.ts';
import { suggest } from '../../dockerfile/text/suggest.ts';
import type { OcitsError } from '../../errors.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { copyError, quotePath } from '../source/copy-error.ts';
import type { CopySource } from '../source/copy-source.ts';
import { toText } from '../source/path.ts';
import { resolvePath } from '../source/resolve.ts';

const SHOWN_NAMES = 6;

/** The error for a source that is not there: with the pattern that ignores it, else with names near it. */
export function missingSource(file: string, word: Word, source: CopySource, path: BytePath): OcitsError {
  const real = resolvePath((at) => source.entry(at), path);
  const reason = source.whyMissing(real) ?? source.whyMissing(path);
  const message = `${quotePath(path)} is not in ${source.name}`;
  if (reason !== undefined)
    return copyError(file, word, 'not-found', `${message}: ${reason}`, 'change the pattern');
  const followed = real === path ? '' : ` (it leads to ${quotePath(real)})`;
  return copyError(file, word, 'not-found', message + followed, nearHint(source, real));
}

/** What is in the deepest folder of `path` that exists. */
function nearHint(source: CopySource, path: BytePath): string | undefined {
  const parts = path.split('/');
  let folder = '';
  let depth = 0;
  for (; depth < parts.length - 1; depth++) {
    const next = folder === '' ? parts[depth]! : `${folder}/${parts[depth]}`;
    if (source.entry(next)?.type !== 'directory') break;
    folder = next;
  }
  const names = source.children(folder).map((entry) => toText(lastPart(entry.path)));
  const near = suggest(toText(parts[depth]!), names);
  const place = folder === '' ? '' : `${toText(folder)}/`;
  if (near !== undefined) return `did you mean ${place}${near}?`;
  const listed = nearNames(source, folder);
  return listed === '' ? undefined : `${folder === '' ? 'there is' : `${place} has`} ${listed}`;
}

/** The first few names in a folder, for people; empty where there are none. */
export function nearNames(source: CopySource, folder: BytePath): string {
  const children = source.children(folder);
  const names = children.slice(0, SHOWN_NAMES).map(({ path, type }) => {
    return toText(lastPart(path)) + (type === 'directory' ? '/' : '');
  });
  return names.join(', ') + (children.length > SHOWN_NAMES ? `, … (${children.length})` : '');
}

function lastPart(path: BytePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
