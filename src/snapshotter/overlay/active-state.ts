import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, OcitsError } from '../../errors.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { MountTarget } from '../snapshotter.ts';

/** What an active snapshot's folder says of itself, in `snapshot.json`. */
export interface ActiveState {
  readonly version: 1;
  readonly parents: readonly Digest[];
  readonly targets: readonly MountTarget[];
}

const FILE = 'snapshot.json';

/** The folders of an active snapshot. */
export function activeFolders(folder: string) {
  return {
    upper: join(folder, 'upper'),
    work: join(folder, 'work'),
    targets: join(folder, 'targets'),
    /** A layer that is being made of `upper`. */
    layer: join(folder, 'layer'),
  };
}

/** Undefined where the folder has no active snapshot yet. */
export function readActiveState(folder: string): ActiveState | undefined {
  try {
    const state = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as ActiveState;
    return state.version === 1 && state.parents.every(isDigest) ? state : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Throws `not-found`. */
export function getActiveState(folder: string): ActiveState {
  const state = readActiveState(folder);
  if (state !== undefined) return state;
  throw new OcitsError('not-found', `${folder} has no active snapshot`);
}

export function writeActiveState(folder: string, state: ActiveState): void {
  const temporary = join(folder, `.${FILE}-${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(temporary, join(folder, FILE));
}
