/** Why crun did not start a process, as far as its message tells. */
export type CrunStartFault =
  | { readonly kind: 'command-missing' }
  /** The file is there; what its `#!` line or its program header names is not. */
  | { readonly kind: 'interpreter-missing' }
  | { readonly kind: 'not-executable'; readonly reason: string }
  | { readonly kind: 'other' };

/*
 * crun has no codes of its own: it exits with 1 whatever has failed. This is the one file that reads its text, and its
 * test holds it against the real crun.
 */

/** Reads the message of a `create` or an `exec` that failed. */
export function crunStartFault(message: string): CrunStartFault {
  if (/^executable file `.*` not found/s.test(message)) return { kind: 'command-missing' };
  if (message === 'exec: No such file or directory') return { kind: 'interpreter-missing' };
  const [, reason] = /^(?:open executable|exec): (.*)$/s.exec(message) ?? [];
  return reason === undefined ? { kind: 'other' } : { kind: 'not-executable', reason };
}

/** Whether it is that crun has no container of the name. */
export function saysUnknownContainer(message: string): boolean {
  return /does not exist|No such file or directory/.test(message);
}
