import { OcitsError } from '../../errors.ts';
import { findProgram } from '../../system/process/programs.ts';

/** Statically linked ones: the program runs among the image's files. */
const PROGRAMS = ['catatonit', 'tini-static', 'docker-init'];

/** The init program of this host for `--init`. Throws `missing-program`. */
export function requireInit(): string {
  for (const name of PROGRAMS) {
    const path = findProgram(name);
    if (path !== undefined) return path;
  }
  throw new OcitsError('missing-program', 'there is no init program for --init on this host', {
    hint: 'apt-get install catatonit, or tini',
  });
}
