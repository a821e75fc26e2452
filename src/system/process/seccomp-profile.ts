import { existsSync } from 'node:fs';

const PLACES = ['/etc/containers/seccomp.json', '/usr/share/containers/seccomp.json'];

/** Where the package that has it puts the default filter of system calls. */
export const SECCOMP_PACKAGE = 'golang-github-containers-common';

/** The host's default filter of system calls, containers-seccomp.json(5): its path; undefined where there is none. */
export function findSeccompProfile(): string | undefined {
  return PLACES.find((path) => existsSync(path));
}
