import { type ErrorCode, OcitsError } from '../../errors.ts';
import { LowerNeeded } from '../lower-needed.ts';

/** The kinds of work by name: what each takes and what it gives, as plain data. */
export type WorkTable<Kinds> = {
  readonly [K in keyof Kinds]: { readonly job: unknown; readonly result: unknown };
};

/** What goes along with a piece of work; none of it needs to be there. */
export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** What a thread is told. An abort is of the work under way. */
export type ToWorker =
  | { readonly type: 'work'; readonly kind: string; readonly job: unknown }
  | { readonly type: 'abort' };

/** What a thread tells. The last message of each piece of work is `done` or `failed`. */
export type FromWorker =
  | { readonly type: 'bytes'; readonly bytes: number }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: ErrorData };

/** An error on its way between threads, which know no classes of each other's. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly lowerNeeded: boolean;
  readonly isOcits: boolean;
  readonly code: string | undefined;
  readonly hint: string | undefined;
}

/** An error as plain data, whatever was thrown. */
export function toErrorData(thrown: unknown): ErrorData {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    lowerNeeded: error instanceof LowerNeeded,
    isOcits: error instanceof OcitsError,
    code: (error as NodeJS.ErrnoException).code,
    hint: error instanceof OcitsError ? error.hint : undefined,
  };
}

/** The error again: an `OcitsError` or a `LowerNeeded` where it was one. */
export function fromErrorData(data: ErrorData): Error {
  if (data.lowerNeeded) return new LowerNeeded();
  if (data.isOcits) {
    return new OcitsError(data.code as ErrorCode, data.message, { hint: data.hint });
  }
  const error: NodeJS.ErrnoException = new Error(data.message);
  error.name = data.name;
  if (data.stack !== undefined) error.stack = data.stack;
  if (data.code !== undefined) error.code = data.code;
  return error;
}
