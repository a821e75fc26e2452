import { readFileSync, statfsSync } from 'node:fs';
import { isAtLeast, LEAST_CRUN_VERSION } from './program-version.ts';
import { findProgram } from './programs.ts';
import { packageOf, runTool } from './spawn.ts';

/** One thing that ocits wants of the host. */
export interface HostFinding {
  readonly name: string;
  /** `missing`: what needs it cannot work; `limited`: it works with less. */
  readonly state: 'ok' | 'limited' | 'missing';
  readonly detail: string;
  /** How to get it, where it is not there. */
  readonly hint?: string | undefined;
}

const CGROUP2_MAGIC = 0x63677270;

/** Looks at the programs and kernel features that pulling, building and running want. Changes nothing. */
export async function checkHost(): Promise<readonly HostFinding[]> {
  const programs = await Promise.all(PROGRAMS.map(checkProgram));
  return [checkSystem(), ...programs, checkOverlay(), checkCgroups(), checkUserNamespaces(), checkSeccomp()];
}

interface WantedProgram {
  readonly name: string;
  readonly why: string;
  readonly optional?: boolean | undefined;
  readonly least?: string | undefined;
}

const PROGRAMS: readonly WantedProgram[] = [
  { name: 'crun', why: 'starts containers', least: LEAST_CRUN_VERSION },
  { name: 'conmon', why: 'watches detached containers' },
  { name: 'netavark', why: 'connects containers to a bridge' },
  { name: 'iptables', why: 'publishes ports and lets containers out' },
  { name: 'perl', why: 'holds published ports, and answers on them by IPv6' },
  { name: 'ip', why: 'sets routes and removes bridges' },
  { name: 'unshare', why: 'makes namespaces' },
  { name: 'mount', why: "mounts containers' root filesystems" },
  { name: 'flock', why: 'takes locks' },
  { name: 'setfattr', why: 'restores extended attributes of layers' },
  { name: 'socat', why: 'passes input to a container that conmon watches', optional: true },
  { name: 'catatonit', why: 'the init of run --init', optional: true },
  { name: 'igzip', why: 'unpacks gzip layers faster', optional: true },
  { name: 'xz', why: 'reads archives that xz has compressed', optional: true },
  { name: 'bzip2', why: 'reads archives that bzip2 has compressed', optional: true },
  { name: 'ps', why: 'lists processes for top', optional: true },
  { name: 'newuidmap', why: 'maps users for rootless use', optional: true },
];

async function checkProgram(wanted: WantedProgram): Promise<HostFinding> {
  const path = findProgram(wanted.name);
  if (path === undefined) {
    const hint = `apt-get install ${packageOf(wanted.name)}`;
    return {
      name: wanted.name,
      state: wanted.optional === true ? 'limited' : 'missing',
      detail: `not found: ${wanted.why}`,
      hint,
    };
  }
  const version = await programVersion(path);
  const { least } = wanted;
  if (least !== undefined && version !== undefined && !isAtLeast(version, least)) {
    const detail = `${version} (${path}) is too old: ocits needs ${least} or newer`;
    return { name: wanted.name, state: 'missing', detail, hint: `install a newer ${packageOf(wanted.name)}` };
  }
  return { name: wanted.name, state: 'ok', detail: version === undefined ? path : `${version} (${path})` };
}

async function programVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await runTool(path, ['--version'], { okCodes: [0, 1, 2] });
    return /\d+\.\d+(?:\.\d+)?/.exec(stdout.toString() || stderr)?.[0];
  } catch {
    return undefined;
  }
}

function checkSystem(): HostFinding {
  if (process.platform === 'linux')
    return { name: 'system', state: 'ok', detail: `Linux, Node ${process.versions.node}` };
  return {
    name: 'system',
    state: 'missing',
    detail: `${process.platform} is not Linux`,
    hint: 'containers run on Linux only; a Linux virtual machine does',
  };
}

function checkOverlay(): HostFinding {
  const known = /\boverlay$/m.test(readText('/proc/filesystems'));
  if (known) return { name: 'overlay', state: 'ok', detail: 'the kernel has overlay mounts' };
  return {
    name: 'overlay',
    state: 'missing',
    detail: 'overlay is not in /proc/filesystems',
    hint: 'modprobe overlay',
  };
}

function checkCgroups(): HostFinding {
  const name = 'cgroups';
  if (filesystemType('/sys/fs/cgroup') === CGROUP2_MAGIC) {
    const controllers = readText('/sys/fs/cgroup/cgroup.controllers').trim();
    const lacking = ['cpu', 'memory', 'pids'].filter(
      (controller) => !controllers.split(' ').includes(controller),
    );
    if (lacking.length === 0) return { name, state: 'ok', detail: `version 2 (${controllers})` };
    return {
      name,
      state: 'limited',
      detail: `version 2 without ${lacking.join(', ')}: those limits do not hold`,
    };
  }
  const mounts = readText('/proc/self/mounts');
  if (!/ cgroup /.test(mounts))
    return {
      name,
      state: 'missing',
      detail: 'no cgroup hierarchy is mounted',
      hint: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
    };
  return {
    name,
    state: 'ok',
    detail: / cgroup2 /.test(mounts) ? 'version 1 beside version 2 (hybrid)' : 'version 1',
  };
}

function checkUserNamespaces(): HostFinding {
  const most = Number(readText('/proc/sys/user/max_user_namespaces').trim() || '0');
  const name = 'user namespaces';
  if (most > 0) return { name, state: 'ok', detail: `at most ${most}` };
  return {
    name,
    state: 'limited',
    detail: 'switched off: no rootless use',
    hint: 'sysctl user.max_user_namespaces=15000',
  };
}

function checkSeccomp(): HostFinding {
  const name = 'seccomp';
  if (/^Seccomp:/m.test(readText('/proc/self/status')))
    return { name, state: 'ok', detail: 'the kernel filters system calls' };
  return {
    name,
    state: 'missing',
    detail:
      'the kernel cannot filter system calls: containers start with --security-opt seccomp=unconfined only',
    hint: 'a kernel with CONFIG_SECCOMP_FILTER',
  };
}

function filesystemType(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
