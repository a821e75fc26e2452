import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';

/** Reads a file that a flag names. Throws `not-found`. */
export function readFlagFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) {
      throw new OcitsError('not-found', `cannot read ${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Throws `already-exists` where the file for a container's ID is there: it may be another container's. */
export function requireAbsent(cidfile: string | undefined): void {
  if (cidfile === undefined || !existsSync(cidfile)) return;
  throw new OcitsError('already-exists', `the file for the container's ID is there already: ${cidfile}`, {
    hint: 'make sure that the other container is gone, and delete the file',
  });
}

/** Writes the ID of a container that was made to the file of `--cidfile`, where one was asked for. */
export function writeCidFile(cidfile: string | undefined, id: string): void {
  if (cidfile === undefined) return;
  try {
    writeFileSync(cidfile, id);
  } catch (error) {
    throw wrapError(error, 'not-found', `cannot write the container's ID to ${cidfile}`);
  }
}

/** Throws `usage` where a terminal is asked for and standard input is none, in Docker's words. */
export function checkTerminal(tty: boolean | undefined, interactive: boolean | undefined): void {
  // Not by process.stdin: to open it would make it non-blocking for the container, too.
  if (!tty || !interactive || isatty(0)) return;
  throw new OcitsError('usage', 'the input device is not a TTY', {
    hint: 'leave out -t where standard input is no terminal, or -i where nothing is to be read',
  });
}
