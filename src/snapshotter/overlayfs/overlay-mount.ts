import { relative } from 'node:path';
import { OcitsError } from '../../errors.ts';
import type { Mount } from '../../system/mount.ts';

/** A mount's options fit one page, with their end. */
const MAX_OPTION_BYTES = 4095;
/** What overlayfs or mount(8) would take for syntax. */
const SPECIAL = /[,:\\"\s]/;

/** What an overlay mount is made of. */
export interface OverlayParts {
  /** All paths are relative to this folder. That keeps them short, so that many layers fit. */
  readonly folder: string;
  /** Folders, topmost first, relative to `folder`. At least one, or two where there is no upper one. */
  readonly lowers: readonly string[];
  /** Absolute paths. Without them the mount is read-only. */
  readonly upper?: { readonly folder: string; readonly work: string } | undefined;
  /** overlayfs keeps its marks in `user.` attributes, as it must in a user namespace. */
  readonly userXattrs: boolean;
  /** No sync ever reaches the disk. */
  readonly isVolatile?: boolean | undefined;
}

/**
 * The room of the kernel's overlayfs: how its mounts are asked for, and which attributes are its own. It knows paths and
 * names, no layers. The rooms that mount, read and write what overlayfs reads may call it.
 *
 *     const mount = overlayMount({ folder: root, lowers: ['l/1a2b3c4d', 'l/5e6f7a8b'], userXattrs: false });
 *     mount.options; // ['lowerdir=l/1a2b3c4d:l/5e6f7a8b', 'ro', 'redirect_dir=off', 'metacopy=off', 'index=off']
 *
 * The overlay mount of some folders. Throws `unsupported` where the options would not fit one page.
 */
export function overlayMount(parts: OverlayParts): Mount {
  const { folder, lowers, upper, userXattrs, isVolatile } = parts;
  const options = [`lowerdir=${lowers.join(':')}`];
  if (upper === undefined) options.push('ro');
  else {
    options.push(
      `upperdir=${relativePath(folder, upper.folder)}`,
      `workdir=${relativePath(folder, upper.work)}`,
    );
    if (isVolatile) options.push('volatile');
  }
  // In a user namespace overlayfs takes no other value than `nofollow`, which is the same and more.
  options.push(userXattrs ? 'redirect_dir=nofollow' : 'redirect_dir=off', 'metacopy=off', 'index=off');
  if (userXattrs) options.push('userxattr');
  const bytes = Buffer.byteLength(options.join(','));
  if (bytes > MAX_OPTION_BYTES) {
    throw new OcitsError(
      'unsupported',
      `an image of ${lowers.length} layers is too deep for one overlay mount`,
    );
  }
  return { type: 'overlay', source: 'overlay', options, folder };
}

function relativePath(from: string, to: string): string {
  const path = relative(from, to);
  if (!SPECIAL.test(path)) return path;
  throw new OcitsError('invalid-argument', `overlayfs cannot take the folder ${JSON.stringify(to)}`, {
    hint: 'use a folder without commas, colons, backslashes, quotes and spaces',
  });
}
