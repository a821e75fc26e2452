import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { missingProgram } from './spawn.ts';

/** Folders beyond PATH: sbin is not on every user's, and podman's helpers are on nobody's. */
const FURTHER_FOLDERS = [
  ...['/usr/local/sbin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
  ...['/usr/libexec/podman', '/usr/lib/podman', '/usr/local/libexec/podman', '/usr/local/lib/podman'],
];

/**
 * The absolute path of a program of the host, from the absolute folders of PATH and the usual ones; undefined where
 * there is none.
 */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  // A relative folder would let the current directory decide what runs as root.
  const folders = path.split(delimiter).filter((folder) => folder.startsWith('/'));
  return [...folders, ...FURTHER_FOLDERS].map((folder) => join(folder, name)).find(isExecutable);
}

/** As `findProgram`, but throws `missing-program` with the package that has it. */
export function requireProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw missingProgram(name);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
