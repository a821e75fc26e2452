import type { Word } from '../../dockerfile/source.ts';
import { type ErrorCode, OcitsError } from '../../errors.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { toText } from './path.ts';

/** A path for people, in quotes, from the root of what it is in. */
export function quotePath(path: BytePath): string {
  return JSON.stringify(path === '' ? '/' : toText(path));
}

/** A file that somebody writes to while it is copied: what would be copied has no key. */
export function changedFile(path: BytePath, cause?: unknown): OcitsError {
  return new OcitsError('in-use', `${quotePath(path)} has changed while it was copied`, {
    hint: 'build again once nothing writes to the build context, or ignore the file',
    cause,
  });
}

/** A fault of a COPY or ADD, at one of its words. */
export function copyError(
  file: string,
  word: Word,
  code: ErrorCode,
  message: string,
  hint?: string,
): OcitsError {
  return new OcitsError(code, message, {
    location: { file, line: word.at.line, column: word.at.column },
    hint,
  });
}
