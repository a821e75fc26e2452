export type { ErrorCode, ErrorDetails, SourceLocation } from './errors.ts';
export { isOcitsError, OcitsError } from './errors.ts';
export type { ProgressEvent, ProgressSink } from './progress.ts';
