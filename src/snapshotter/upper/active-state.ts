import { join } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { replaceFileSync } from '../../system/file/atomic-file.ts';
import { textIfThereSync } from '../../system/file/if-there.ts';
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
  const text = textIfThereSync(join(folder, FILE));
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(text) as Partial<ActiveState> | null;
    const isWhole = state?.version === 1 && Array.isArray(state.parents) && Array.isArray(state.targets);
    return isWhole && state.parents.every(isDigest) ? (state as ActiveState) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Throws `not-found`. */
export function getActiveState(folder: string): ActiveState {
  const state = readActiveState(folder);
  if (state !== undefined) return state;
  throw new OcitsError('not-found', `${folder} has no active snapshot`);
}

/** Replaces what the folder says, at once. */
export function writeActiveState(folder: string, state: ActiveState): void {
  replaceFileSync(join(folder, FILE), `${JSON.stringify(state)}\n`);
}
