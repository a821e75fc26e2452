import { OcitsError } from '../../errors.ts';

export interface ThisHost {
  readonly platform: NodeJS.Platform;
  /** Undefined where the platform has no users of that kind. */
  readonly uid: number | undefined;
}

/**
 * Throws for what only Linux (`unsupported`) and only root there (`permission`) can do. `doing` begins the message:
 * `running containers`.
 */
export function requireLinuxRoot(
  doing: string,
  host: ThisHost = { platform: process.platform, uid: process.getuid?.() },
): void {
  if (host.platform !== 'linux') {
    throw new OcitsError('unsupported', `${doing} needs Linux, and this is ${host.platform}`, {
      hint: 'run ocits on a Linux machine, or in a virtual machine that runs Linux',
    });
  }
  if (host.uid !== 0) {
    throw new OcitsError('permission', `${doing} needs root, and this is user ${host.uid}`, {
      hint: 'run ocits as root, such as with sudo: it cannot do without yet',
    });
  }
}
