import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { OcitsError } from '../errors.ts';
import { missingProgram } from '../system/spawn.ts';

/** Folders beyond PATH that distributions put these programs into; sbin is not on every user's PATH. */
const FURTHER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/libexec/podman', '/usr/lib/podman'];

/** The absolute path of a program of the host, from absolute folders of PATH and the usual ones; undefined: not there. */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  const folders = [...path.split(':'), '/usr/bin', '/bin', ...FURTHER_FOLDERS];
  // A relative folder would let the current directory decide what runs as root.
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** As `findProgram`, but throws `missing-program` with the package that has it. */
export function requireProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw missingProgram(name);
  return path;
}

/** Statically linked inits, which run in any root filesystem. */
const INITS: readonly string[] = ['catatonit', 'docker-init', 'tini-static'];

/** The absolute path of an init program for `--init`. Throws `missing-program`. */
export function requireInit(): string {
  const path = INITS.map((name) => findProgram(name)).find((found) => found !== undefined);
  if (path !== undefined) return path;
  throw new OcitsError('missing-program', 'there is no init program for --init', {
    hint: 'apt-get install catatonit',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
