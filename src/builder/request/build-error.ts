import { type ErrorDetails, OcitsError } from '../../errors.ts';

/** What a user sees of a failed build beside the message. */
export interface FailureReport {
  /** The step as it was shown while it ran. */
  readonly stepLabel?: string | undefined;
  /** The last of what the step printed. */
  readonly outputTail?: string | undefined;
  /** The lines of the Dockerfile at fault, marked, and some around them. */
  readonly excerpt?: string | undefined;
}

/** A build that failed at a place of its Dockerfile. */
export class BuildError extends OcitsError {
  readonly report: FailureReport;

  constructor(code: OcitsError['code'], message: string, details: ErrorDetails, report: FailureReport) {
    super(code, message, details);
    this.report = report;
  }
}

/** `error` with the lines of the Dockerfile that it points at, where it points there; any other error as it is. */
export function withExcerpt(error: unknown, file: string, text: string): unknown {
  if (!(error instanceof OcitsError) || error.location?.file !== file) return error;
  const { code, message, hint, location, exitCode, cause } = error;
  const known = error instanceof BuildError ? error.report : {};
  const details: ErrorDetails = {
    location,
    cause,
    hint,
    exitCode,
  };
  const lines = { first: location.line, last: location.endLine ?? location.line };
  return new BuildError(code, message, details, { ...known, excerpt: sourceExcerpt(file, text, lines) });
}

const LINES_AROUND = 2;
const RULE = '-'.repeat(20);

/** Lines `first` to `last` (from 1) of a Dockerfile marked with `>>>`, two more on either side, framed as BuildKit does. */
export function sourceExcerpt(
  file: string,
  text: string,
  { first, last }: { readonly first: number; readonly last: number },
): string {
  const lines = text.split('\n');
  const from = Math.max(first - LINES_AROUND, 1);
  const to = Math.min(last + LINES_AROUND, lines.length);
  const shown = lines.slice(from - 1, to).map((line, index) => {
    const number = from + index;
    const mark = number >= first && number <= last ? '>>>' : '   ';
    return `${String(number).padStart(4)} | ${mark} ${line.replace(/\r$/, '')}`;
  });
  return [`${file}:${first}`, RULE, ...shown, RULE].join('\n');
}
