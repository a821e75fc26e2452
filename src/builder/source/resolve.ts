import { OcitsError } from '../../errors.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { quotePath } from './copy-error.ts';

/** What a walk through a tree needs to know of an entry. */
export interface LinkEntry {
  readonly type: string;
  readonly target?: string | undefined;
}

const MAX_LINKS = 40;

/**
 * Where `path` really is: symlinks on the way are followed inside the root, and at the end too where `followLast`. An
 * absolute target starts at the root, `..` does not leave it. Parts that are not there stay as they are. `look` is
 * only asked for paths whose folders are folders. Throws `invalid-argument` on more than 40 symlinks.
 */
export function resolvePath(
  look: (path: BytePath) => LinkEntry | undefined,
  path: BytePath,
  followLast = true,
): BytePath {
  const waiting = path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  let missing = false;
  while (waiting.length > 0) {
    const part = waiting.pop()!;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      missing = false;
      continue;
    }
    const here = [...done, part].join('/');
    const entry: LinkEntry | undefined = missing ? undefined : look(here);
    if (entry?.type === 'symlink' && (followLast || waiting.some((rest) => rest !== '' && rest !== '.'))) {
      if (++links > MAX_LINKS)
        throw new OcitsError('invalid-argument', `too many symlinks in ${quotePath(path)}`);
      const target = entry.target ?? '';
      if (target.startsWith('/')) done.length = 0;
      waiting.push(...target.split('/').reverse());
      continue;
    }
    missing ||= entry === undefined || entry.type !== 'directory';
    done.push(part);
  }
  return done.join('/');
}
