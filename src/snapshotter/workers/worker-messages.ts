import { type ErrorCode, OcitsError } from '../../errors.ts';
import { LowerNeeded } from '../folder-form/layer-tree.ts';
import type { UnpackedLayer, UnpackJob } from '../folder-form/unpack-to-folder.ts';
import type { DiffedLayer, DiffJob } from '../upper/diff-upper.ts';

/** The work that can be given to a thread, by name: what it takes and what it gives. */
export interface WorkKinds {
  readonly unpack: { readonly job: UnpackJob; readonly result: UnpackedLayer };
  readonly diff: { readonly job: DiffJob; readonly result: DiffedLayer };
}

export type WorkKind = keyof WorkKinds;

export type ToWorker =
  | { readonly type: 'work'; readonly kind: WorkKind; readonly job: WorkKinds[WorkKind]['job'] }
  | { readonly type: 'abort' };

export type FromWorker =
  | { readonly type: 'bytes'; readonly bytes: number }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'done'; readonly result: WorkKinds[WorkKind]['result'] }
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

export function fromErrorData(data: ErrorData): Error {
  if (data.lowerNeeded) return new LowerNeeded();
  if (data.isOcits) {
    return new OcitsError(
      data.code as ErrorCode,
      data.message,
      data.hint === undefined ? {} : { hint: data.hint },
    );
  }
  const error: NodeJS.ErrnoException = new Error(data.message);
  error.name = data.name;
  if (data.stack !== undefined) error.stack = data.stack;
  if (data.code !== undefined) error.code = data.code;
  return error;
}
