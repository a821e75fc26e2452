import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';

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

/** Whether `error` comes from the operating system, with one of the `errno` names, such as `ENOENT`, where any are given. */
export function isErrno(error: unknown, ...errno: readonly string[]): error is NodeJS.ErrnoException {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return error instanceof Error && code !== undefined && (errno.length === 0 || errno.includes(code));
}

/** Whether nothing more can be written there: the disk or its quota is full, or it is read-only. */
export function isUnwritable(error: unknown): boolean {
  return isErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS');
}

/** What the system says no with, in words of its own, and what to do about it. */
interface SystemReason {
  readonly words: string;
  readonly hint?: string | undefined;
  readonly code?: ErrorCode | undefined;
}

const FREE_SPACE = 'free some space: ocits system prune';
const RAISE_LIMIT = 'raise the limit (ulimit -n), or do fewer things at once';

/** errno(3). What is not here is named as the system names it. */
const REASONS: Readonly<Record<string, SystemReason>> = {
  EACCES: { words: 'permission denied', code: 'permission' },
  EDQUOT: { words: 'the disk quota is used up', hint: FREE_SPACE, code: 'disk-full' },
  EIO: { words: 'the disk reports an error (input/output error)', hint: 'see what the kernel says: dmesg' },
  ELOOP: { words: 'too many symbolic links', hint: 'a link there may lead to itself' },
  EMFILE: { words: 'this process has too many open files', hint: RAISE_LIMIT },
  ENFILE: {
    words: 'the host has too many open files',
    hint: 'raise fs.file-max (sysctl), or end programs that hold many',
  },
  ENOSPC: { words: 'no space left on device', hint: FREE_SPACE, code: 'disk-full' },
  ENOTDIR: { words: 'a part of the path is not a folder', hint: 'look at what is there' },
  EPERM: { words: 'operation not permitted', code: 'permission' },
  EROFS: {
    words: 'read-only file system',
    hint: 'make it writable, or choose other folders with OCITS_ROOT and OCITS_RUN',
    code: 'permission',
  },
  ETXTBSY: { words: 'the file is a program that runs (text file busy)', hint: 'end that program first' },
};

const WATCH_LIMITS: SystemReason = {
  words: 'the host has no watches for files left (inotify)',
  hint: 'raise fs.inotify.max_user_watches and fs.inotify.max_user_instances (sysctl)',
};

/** What an error of the system says in plain words; undefined for any other error, and one without words of its own. */
export function systemReason(error: unknown): (SystemReason & { readonly text: string }) | undefined {
  if (!isErrno(error)) return undefined;
  const reason = error.syscall === 'watch' ? WATCH_LIMITS : REASONS[causeOf(error)];
  if (reason === undefined) return undefined;
  const where = error.path === undefined ? '' : ` (${error.syscall ?? 'at'} ${error.path})`;
  return { ...reason, text: `${reason.words}${where}` };
}

/** Node names a missing folder where a tree of folders cannot be made, whatever the reason is. */
function causeOf({ code = '', syscall, path }: NodeJS.ErrnoException): string {
  if (code !== 'ENOENT' || syscall !== 'mkdir' || path === undefined) return code;
  let above = dirname(path);
  while (!existsSync(above) && above !== dirname(above)) above = dirname(above);
  try {
    accessSync(above, constants.W_OK);
    return code;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? code;
  }
}

/**
 * What went wrong first: where something fails while what failed before it is cleared up, JavaScript has both in an
 * error that says neither.
 */
export function firstFailure(error: unknown): unknown {
  const { name, suppressed } = (error ?? {}) as { name?: unknown; suppressed?: unknown };
  return name === 'SuppressedError' ? firstFailure(suppressed) : error;
}

/** What went wrong, in one line for a message. */
export function messageOf(thrown: unknown): string {
  const error = firstFailure(thrown);
  return systemReason(error)?.text ?? (error instanceof Error ? error.message : String(error));
}

/**
 * Turns what was thrown into an OcitsError, once, at a module's border. An OcitsError passes through; what the system
 * refuses is told in plain words (`systemReason`), with its own code and hint where it has them, and an abort gets its
 * own code; anything else gets `code`.
 */
export function wrapError(thrown: unknown, code: ErrorCode, message: string, hint?: string): OcitsError {
  const error = firstFailure(thrown);
  if (error instanceof OcitsError) return error;
  const reason = systemReason(error);
  const details = {
    cause: error,
    hint: reason?.code === 'permission' ? (hint ?? reason.hint) : (reason?.hint ?? hint),
  };
  const text = `${message}: ${messageOf(error)}`;
  const isAbort = error instanceof Error && error.name === 'AbortError';
  return new OcitsError(isAbort ? 'aborted' : (reason?.code ?? code), text, details);
}
