/**
 * The room of mounts as users write them: `-v`, `--mount` and `--tmpfs`, each read to a `MountRequest`.
 * `container/flags` calls it, and `container/create` finds the sources. Nothing is looked up here: whether a folder
 * or a volume is there is not known yet.
 *
 *     const data = parseVolumeFlag('data:/var/lib/app:ro', folder);
 *     const config = parseMountFlag('type=bind,source=/etc/app,target=/etc/app,readonly', folder);
 *     const run = parseTmpfsFlag('/run:size=64m');
 */

import { posix } from 'node:path';
import { OcitsError } from '../../errors.ts';

/** What `-v`, `--mount` and `--tmpfs` ask for. Targets are absolute, sources of bind mounts too. */
export type MountRequest =
  | (BindMount & {
      /** Whether a source that is not there is made, as a folder. */
      readonly createSource: boolean;
    })
  | {
      readonly kind: 'volume';
      /** Undefined: an anonymous one. */
      readonly name?: string | undefined;
      readonly target: string;
      readonly readOnly: boolean;
      /** Whether a new volume gets what the image has at the target. */
      readonly copyImage: boolean;
      readonly labels: Readonly<Record<string, string>>;
    }
  | TmpfsMount;

/** A file or folder of the host. Source and target are absolute. */
export interface BindMount {
  readonly kind: 'bind';
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation?: string | undefined;
  /** The default is with the mounts below it. */
  readonly recursive?: boolean | undefined;
}

export interface TmpfsMount {
  readonly kind: 'tmpfs';
  readonly target: string;
  /** Of mount(8), such as `size=64m`. */
  readonly options: readonly string[];
}

const PROPAGATIONS: readonly string[] = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'];

export function isPropagation(text: string): boolean {
  return PROPAGATIONS.includes(text);
}

/** The target without `.`, `..` and double slashes. Throws `invalid-argument` where it is not absolute, or is `/`. */
export function cleanTarget(target: string, flag: string): string {
  const fault = (why: string) =>
    new OcitsError('invalid-argument', `${flag}: the target ${JSON.stringify(target)} ${why}`);
  if (!target.startsWith('/')) throw fault('is not an absolute path in the container');
  if (target.includes('\0')) throw fault('has a NUL character');
  const clean = posix.resolve(target);
  if (clean === '/') throw fault('is the root of the container, on which nothing can be mounted');
  return clean;
}
