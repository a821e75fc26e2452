import { readFileSync } from 'node:fs';
import { OcitsError } from './errors.ts';
import { DEFAULT_NETWORK_DRIVER } from './options/network-driver.ts';

/**
 * What this process may do on this machine. It is decided once, where a command or a program begins, and the engine
 * hands it on: no other part asks who runs it.
 */
export interface Access {
  readonly platform: NodeJS.Platform;
  /** The user's number; undefined where the platform has no users of that kind. */
  readonly uid: number | undefined;
  /** Whether mounts, namespaces, devices and owners of files may be made. */
  readonly isRoot: boolean;
  /** A user namespace that somebody has made: devices cannot be made there, and files have mapped owners alone. */
  readonly inUserNamespace: boolean;
  /** Where overlayfs looks for its marks: the kernel takes `user.` in a user namespace only. */
  readonly xattrPrefix: 'trusted.' | 'user.';
  /** The kind of the network that containers are on where nothing is said: a driver of `network/drivers`. */
  readonly networkDriver: string;
}

/** The number of the user who runs this process; undefined where the platform has no users of that kind. */
export function ownUid(): number | undefined {
  return process.getuid?.();
}

/** The access of this process. The arguments stand for other machines in tests; `uidMap` is /proc/self/uid_map. */
export function decideAccess(
  platform: NodeJS.Platform = process.platform,
  uid: number | undefined = ownUid(),
  uidMap: string = platform === 'linux' ? readUidMap() : '',
): Access {
  const inUserNamespace = uidMap !== '' && uidMap.trim().split(/\s+/).join(' ') !== INITIAL_UID_MAP;
  return {
    platform,
    uid,
    isRoot: platform === 'linux' && uid === 0,
    inUserNamespace,
    xattrPrefix: inUserNamespace ? 'user.' : 'trusted.',
    networkDriver: DEFAULT_NETWORK_DRIVER,
  };
}

/** user_namespaces(7): the host's own namespace maps every number to itself. */
const INITIAL_UID_MAP = `0 0 ${2 ** 32 - 1}`;

function readUidMap(): string {
  try {
    return readFileSync('/proc/self/uid_map', 'latin1');
  } catch {
    // A kernel without user namespaces has no such file.
    return '';
  }
}

/**
 * Throws where something needs more than this process may do: `unsupported` off Linux, `permission` for others than
 * root. `doing` begins the message: `running containers`.
 */
export function requireRoot({ platform, uid, isRoot }: Access, doing: string): void {
  if (platform !== 'linux') {
    throw new OcitsError('unsupported', `${doing} needs Linux, and this is ${platform}`, {
      hint: 'run ocits on a Linux machine, or in a virtual machine that runs Linux',
    });
  }
  if (!isRoot) {
    throw new OcitsError('permission', `${doing} needs root, and this is user ${uid}`, {
      hint: 'run ocits as root, such as with sudo: it cannot do without yet',
    });
  }
}
