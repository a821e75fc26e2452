import type { ProgressEvent, ProgressSink } from '../../progress.ts';
import { isDebugging } from '../output/error-output.ts';
import { printableEvent } from '../output/printable.ts';
import { jsonRenderer } from './json.ts';
import { plainRenderer } from './plain.ts';
import { terminalRenderer } from './terminal.ts';

/** Prints what the core tells, on standard error. `close` leaves the terminal as it was; it may be called twice. */
export interface Renderer {
  readonly emit: ProgressSink;
  close(): void;
}

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'json' | 'rawjson' | 'quiet';

/** The part of a stream that a renderer writes to. */
export interface Screen {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows?: number;
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

/**
 * The renderer of `mode`: `auto` redraws on a terminal and prints lines elsewhere. Without `mode`,
 * `BUILDKIT_PROGRESS` counts, as with Docker.
 */
export function openRenderer(mode: ProgressMode | undefined, screen: Screen = standardScreen()): Renderer {
  const wanted = mode ?? modeFromEnvironment();
  if (wanted === 'quiet') {
    return cleaned({ emit: (event) => printWarning(event, screen), close: () => {} });
  }
  if (wanted === 'json' || wanted === 'rawjson') return jsonRenderer(screen);
  if (wanted === 'tty' || (wanted === 'auto' && screen.isTerminal)) return cleaned(terminalRenderer(screen));
  return cleaned(plainRenderer(screen));
}

/** The same renderer, to which all that images and registries say comes printable. */
export function cleaned({ emit, close }: Renderer): Renderer {
  return { emit: (event) => emit(printableEvent(event)), close };
}

function modeFromEnvironment(): ProgressMode {
  const value = process.env['BUILDKIT_PROGRESS'] ?? '';
  return ['tty', 'plain', 'quiet', 'rawjson'].includes(value) ? (value as ProgressMode) : 'auto';
}

/** Warnings are shown in every mode; debug messages with `--debug` only. */
export function printWarning(event: ProgressEvent, screen: Screen): void {
  if (event.type !== 'message') return;
  if (event.level === 'debug' && !isDebugging()) return;
  screen.write(event.level === 'warning' ? `WARNING: ${event.text}\n` : `${event.text}\n`);
}
