import type { ProgressEvent, ProgressSink } from '../../progress.ts';
import { isDebugging } from '../output/error-output.ts';

/** Prints what the core tells, on standard error. `close` leaves the terminal as it was; it may be called twice. */
export interface Renderer {
  readonly emit: ProgressSink;
  close(): void;
}

/** The part of a stream that a renderer writes to. */
export interface Screen {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows?: number | undefined;
  readonly colours: boolean;
}

/** Standard error, with colours on a terminal only and where NO_COLOR is not set. */
export function standardScreen(): Screen {
  const { stderr, env } = process;
  const isTerminal = stderr.isTTY === true && env['TERM'] !== 'dumb';
  return {
    write: (text) => void stderr.write(text),
    isTerminal,
    get columns() {
      return stderr.columns ?? 80;
    },
    get rows() {
      return stderr.rows ?? 24;
    },
    colours: isTerminal && (env['NO_COLOR'] ?? '') === '',
  };
}

/** Warnings are shown in every mode; debug messages with `--debug` only. */
export function printWarning(event: ProgressEvent, screen: Screen): void {
  if (event.type !== 'message') return;
  if (event.level === 'debug' && !isDebugging()) return;
  screen.write(event.level === 'warning' ? `WARNING: ${event.text}\n` : `${event.text}\n`);
}
