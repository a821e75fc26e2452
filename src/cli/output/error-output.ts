import { ownUid } from '../../access.ts';
import { firstFailure, isErrno, isOcitsError, OcitsError, systemReason } from '../../errors.ts';
import type { ExitCodes } from '../exit-codes.ts';
import { exitCodeOf } from '../process/interrupt.ts';
import { printable } from './printable.ts';

/**
 * The exit code for what was thrown: 128 and a signal's number, 125 for a flag that is wrong (1 for other faults of the
 * command line), else what the command's own table says.
 */
export function exitCodeFor(thrown: unknown, codes: ExitCodes, received: NodeJS.Signals | undefined): number {
  if (received !== undefined) return exitCodeOf(received);
  const error = firstFailure(thrown);
  if (!(error instanceof OcitsError)) return codes.fault;
  const { code, exitCode } = error;
  if (code === 'usage') return exitCode ?? 1;
  return exitCode !== undefined && codes.passedOn.includes(exitCode) ? exitCode : codes.failure;
}

/** Whether `--debug` was given, or `OCITS_DEBUG` is set. */
export function isDebugging(): boolean {
  return (process.env['OCITS_DEBUG'] ?? '') !== '';
}

/**
 * One message, what to do about it, and nothing else; the stack only with `--debug`. `command`: whose help a fault of
 * the command line names.
 */
export function printError(error: unknown, command?: string): void {
  process.stderr.write(`${printable(describeError(firstFailure(error), command))}\n`);
  if (isDebugging() && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`);
}

function describeError(error: unknown, command: string | undefined): string {
  if (isErrno(error, 'EPIPE')) return 'ocits: the reader of the output has gone';
  const systemFailure = isOcitsError(error) ? undefined : describeSystemFailure(error);
  if (systemFailure !== undefined) return systemFailure;
  if (!isOcitsError(error)) {
    return `ocits: ${error instanceof Error ? error.message : String(error)}\n(a fault in ocits: run it with --debug for details)`;
  }
  const place = error.location === undefined ? '' : `${placeOf(error.location)}: `;
  const lines = [`ocits: ${place}${error.message}`];
  const hint = error.hint ?? (error.code === 'permission' ? rootHint() : undefined);
  if (hint !== undefined) lines.push(`hint: ${hint}`);
  if (error.code === 'usage' && command !== undefined)
    lines.push(`\nRun 'ocits ${command} --help' for more information`);
  return lines.join('\n');
}

/** What the host refuses is no fault of ours, wherever it shows. */
function describeSystemFailure(error: unknown): string | undefined {
  const reason = systemReason(error);
  if (reason === undefined) return undefined;
  const hint = reason.hint ?? rootHint();
  return `ocits: ${reason.text}${hint === undefined ? '' : `\nhint: ${hint}`}`;
}

function rootHint(): string | undefined {
  return ownUid() === 0 ? undefined : 'run ocits as root, such as with sudo';
}

function placeOf(location: {
  readonly file: string;
  readonly line: number;
  readonly column?: number | undefined;
}): string {
  return `${location.file}:${location.line}${location.column === undefined ? '' : `:${location.column}`}`;
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own;
}
