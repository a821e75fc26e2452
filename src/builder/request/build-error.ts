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
  const { line, endLine = line, column } = location;
  const lines = { first: line, last: endLine, column };
  return new BuildError(code, message, details, { ...known, excerpt: sourceExcerpt(file, text, lines) });
}

const LINES_AROUND = 2;
const LINE_LIMIT = 1000;
const LINES_LIMIT = 200;
/** What is shown of a long line before the place at fault. */
const BEFORE_FAULT = 100;
const RULE = '-'.repeat(20);

/** The lines at fault, from 1, and where in the first of them the fault is, where that is known. */
interface FaultyLines {
  readonly first: number;
  readonly last: number;
  readonly column?: number | undefined;
}

/**
 * Lines `first` to `last` of a Dockerfile marked with `>>>`, two more on either side, framed as BuildKit does. Of very
 * long lines, and of very many, a part is shown.
 */
export function sourceExcerpt(file: string, text: string, { first, last, column }: FaultyLines): string {
  const lines = text.split('\n');
  const from = Math.max(first - LINES_AROUND, 1);
  const to = Math.min(last + LINES_AROUND, lines.length);
  const shown = lines.slice(from - 1, Math.min(to, from - 1 + LINES_LIMIT)).map((line, index) => {
    const number = from + index;
    const mark = number >= first && number <= last ? '>>>' : '   ';
    return `${String(number).padStart(4)} | ${mark} ${shownLine(line, number === first ? column : undefined)}`;
  });
  const left = to - from + 1 - shown.length;
  if (left > 0) shown.push(`     |     … (${left} lines left out)`);
  return [`${file}:${first}`, RULE, ...shown, RULE].join('\n');
}

function shownLine(line: string, column = 1): string {
  const whole = line.replace(/\r$/, '');
  if (whole.length <= LINE_LIMIT) return whole;
  const start = column > LINE_LIMIT ? column - 1 - BEFORE_FAULT : 0;
  const part = whole.slice(start, start + LINE_LIMIT);
  const left = whole.length - part.length;
  return `${start > 0 ? '… ' : ''}${part} … (${left} characters left out)`;
}
