import { OcitsError } from '../errors.ts';
import { splitPair } from '../options/pair.ts';
import type { ProcessSpec } from './container-spec.ts';

/** The kernel's MAX_ARG_STRLEN, with the final NUL. */
const STRING_LIMIT_BYTES = 131_072;
/** Arguments and environment together, with a pointer each: a quarter of the usual stack limit of 8 MiB. */
const TOTAL_LIMIT_BYTES = 2 * 1024 * 1024;
const POINTER_BYTES = 8;
const ID_LIMIT = 2 ** 31 - 1;

/**
 * Throws `invalid-argument` for a process that the kernel or the runtime would refuse less clearly, or that reaches
 * outside: no command, a NUL, strings that are too long, IDs out of range, a working directory that is not absolute,
 * or one below /proc, through which a descriptor of the host could be entered.
 */
export function checkProcess({ args, env, cwd, uid, gid, additionalGids }: ProcessSpec): void {
  if (args.length === 0 || args[0] === '') {
    throw new OcitsError(
      'invalid-argument',
      'no command is given, neither by the image nor on the command line',
      {
        hint: 'name a command after the image',
      },
    );
  }
  let total = 0;
  for (const text of [...args, ...env]) {
    const size = Buffer.byteLength(text) + 1;
    if (text.includes('\0')) throw fault(text, 'has a NUL character');
    if (size > STRING_LIMIT_BYTES) throw fault(text, `is longer than ${STRING_LIMIT_BYTES - 1} bytes`);
    total += size + POINTER_BYTES;
  }
  if (total > TOTAL_LIMIT_BYTES) {
    throw new OcitsError(
      'invalid-argument',
      `arguments and environment take ${total} bytes, and 2 MiB are allowed`,
    );
  }
  for (const text of env) {
    const [name, value] = splitPair(text);
    if (name === '' || value === undefined) throw fault(text, 'is no NAME=value');
  }
  for (const id of [uid, gid, ...additionalGids]) {
    if (!Number.isInteger(id) || id < 0 || id > ID_LIMIT) {
      throw new OcitsError('invalid-argument', `the user or group ID ${id} is not between 0 and ${ID_LIMIT}`);
    }
  }
  if (!cwd.startsWith('/') || cwd.includes('\0')) {
    throw new OcitsError('invalid-argument', `the working directory ${JSON.stringify(cwd)} is not absolute`);
  }
  if (isBelowProc(cwd)) {
    throw new OcitsError('hostile', `the working directory ${JSON.stringify(cwd)} is below /proc`, {
      hint: 'choose another one with --workdir',
    });
  }
}

/** Whether `path` names something below /proc at any point of its way, also where `..` leaves it again. */
function isBelowProc(path: string): boolean {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
    if (parts[0] === 'proc' && parts.length > 1) return true;
  }
  return false;
}

function fault(text: string, problem: string): OcitsError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new OcitsError('invalid-argument', `${JSON.stringify(shown)}, an argument or variable, ${problem}`);
}
