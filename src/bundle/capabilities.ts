import { OcitsError } from '../errors.ts';
import type { RuntimeCapabilities } from './runtime-spec.ts';

/** All capabilities by their number, capabilities(7). */
export const ALL_CAPABILITIES: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
].map((name) => `CAP_${name}`);

/** The fourteen that Docker gives by default. */
const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

export interface CapabilityRequest {
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
}

/**
 * The capabilities of a container, sorted by number, of those that the host has: Docker's default ones, changed by
 * `--cap-add` and `--cap-drop`, which take `ALL`, any case, and names with or without `CAP_`. As in Docker, what is
 * dropped goes first and what is added comes after it, save that `--cap-add ALL` leaves out the dropped names. Throws
 * `invalid-argument` for an unknown name and `permission` for an added one that the host cannot give.
 */
export function containerCapabilities(
  request: CapabilityRequest,
  hostCapabilities: readonly string[],
): readonly string[] {
  const add = request.capAdd.map(capabilityName);
  const drop = request.capDrop.map(capabilityName);
  if (request.privileged) return inOrder(hostCapabilities);
  const beyond = add.find((name) => name !== 'ALL' && !hostCapabilities.includes(name));
  if (beyond !== undefined) {
    throw new OcitsError(
      'permission',
      `--cap-add ${beyond}: this process does not have that capability itself`,
      {
        hint: 'run ocits with all capabilities, or leave the option out',
      },
    );
  }
  if (add.includes('ALL')) return inOrder(hostCapabilities.filter((name) => !drop.includes(name)));
  const base = drop.includes('ALL')
    ? []
    : DEFAULT_CAPABILITIES.filter((name) => hostCapabilities.includes(name) && !drop.includes(name));
  return inOrder([...base, ...add]);
}

/** `CAP_CHOWN` for `chown`, `CHOWN` or `CAP_CHOWN`; `ALL` for `all`. Throws `invalid-argument`. */
function capabilityName(text: string): string {
  const upper = text.toUpperCase();
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!ALL_CAPABILITIES.includes(name)) {
    throw new OcitsError('invalid-argument', `${JSON.stringify(text)} is not a capability of Linux`, {
      hint: 'capabilities(7) lists the names, such as NET_ADMIN',
    });
  }
  return name;
}

/**
 * The sets that a process starts with. Root has them permitted and effective; for any other user the kernel would
 * clear both at execve, so only the bounding set is given. Inheritable and ambient stay empty always.
 */
export function processCapabilities(capabilities: readonly string[], uid: number): RuntimeCapabilities {
  const active = uid === 0 ? capabilities : [];
  return { bounding: capabilities, effective: active, permitted: active, inheritable: [], ambient: [] };
}

function inOrder(names: readonly string[]): readonly string[] {
  return ALL_CAPABILITIES.filter((name) => names.includes(name));
}
