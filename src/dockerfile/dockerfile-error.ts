import { type ErrorCode, OcitsError } from '../errors.ts';
import type { SourcePosition } from './source.ts';

/** An error about a place in a Dockerfile: `syntax` unless `code` says otherwise. */
export function dockerfileError(
  file: string,
  at: SourcePosition,
  message: string,
  details: {
    readonly hint?: string | undefined;
    readonly code?: ErrorCode | undefined;
    readonly cause?: unknown | undefined;
  } = {},
): OcitsError {
  return new OcitsError(details.code ?? 'syntax', message, {
    location: { file, line: at.line, column: at.column },
    hint: details.hint,
    cause: details.cause,
  });
}

/** Runs `work`; an OcitsError that it throws without a place gets `at` as its place. */
export function located<T>(file: string, at: SourcePosition, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OcitsError) || error.location !== undefined) throw error;
    const { code, hint } = error;
    throw dockerfileError(file, at, error.message, { code, cause: error.cause, hint });
  }
}
