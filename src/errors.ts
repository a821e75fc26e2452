/** What went wrong, for code to branch on. The list is closed: branch on the code, never on the message. */
export type ErrorCode =
  | 'aborted'
  | 'already-exists'
  | 'corrupt'
  | 'denied'
  | 'digest-mismatch'
  | 'disk-full'
  | 'hostile'
  | 'in-use'
  | 'internal'
  | 'invalid-argument'
  | 'invalid-config'
  | 'invalid-digest'
  | 'invalid-reference'
  | 'missing-program'
  | 'network'
  | 'not-executable'
  | 'not-found'
  | 'permission'
  | 'rate-limited'
  | 'size-mismatch'
  | 'step-failed'
  | 'syntax'
  | 'tool-failed'
  | 'unauthorized'
  | 'unsupported'
  | 'usage'
  | 'wrong-platform';

/** A place in a text file: line and column count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column?: number | undefined;
  /** The last line, where more than one is meant. */
  readonly endLine?: number | undefined;
}

export interface ErrorDetails {
  /** What the user can try, as one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly location?: SourceLocation | undefined;
  /** The exit code of the tool or the step that failed. */
  readonly exitCode?: number | undefined;
}

/** The only error that ocits throws on purpose. The message names the thing and the operation. */
export class OcitsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly location: SourceLocation | undefined;
  readonly exitCode: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(shortened(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'OcitsError';
    this.code = code;
    this.hint = details.hint === undefined ? undefined : shortened(details.hint);
    this.location = details.location;
    this.exitCode = details.exitCode;
  }
}

const LIMIT = 4000;
const KEPT_AT_END = 1000;

/** Text for people: what is over 4,000 characters loses its middle, so that it shows how it begins and how it ends. */
export function shortened(text: string): string {
  if (text.length <= LIMIT) return text;
  const left = text.length - LIMIT;
  const [start, end] = [text.slice(0, LIMIT - KEPT_AT_END), text.slice(-KEPT_AT_END)];
  return `${start} … (${left} characters left out) … ${end}`;
}

/** Whether `error` is an OcitsError, and of one of `codes` where any are given. */
export function isOcitsError(error: unknown, ...codes: readonly ErrorCode[]): error is OcitsError {
  return error instanceof OcitsError && (codes.length === 0 || codes.includes(error.code));
}

/** Whether `error` comes from the operating system with one of the `errno` names, such as `ENOENT`. */
export function isErrno(error: unknown, ...errno: readonly string[]): error is NodeJS.ErrnoException {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return error instanceof Error && code !== undefined && errno.includes(code);
}

/** Whether nothing more can be written there: the disk or its quota is full, or it is read-only. */
export function isUnwritable(error: unknown): boolean {
  return isErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS');
}

/**
 * Turns what was thrown into an OcitsError, once, at a module's border. An OcitsError passes through;
 * `ENOSPC`, `EDQUOT`, `EACCES`, `EPERM` and an abort get their own code; anything else gets `code`.
 */
export function wrapError(error: unknown, code: ErrorCode, message: string, hint?: string): OcitsError {
  if (error instanceof OcitsError) return error;
  const details = { cause: error, hint };
  const text = `${message}: ${error instanceof Error ? error.message : String(error)}`;
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new OcitsError('disk-full', text, { cause: error, hint: 'free some space: ocits system prune' });
  }
  if (isErrno(error, 'EACCES', 'EPERM')) return new OcitsError('permission', text, details);
  if (error instanceof Error && error.name === 'AbortError') return new OcitsError('aborted', text, details);
  return new OcitsError(code, text, details);
}
