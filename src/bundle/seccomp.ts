import { OcitsError } from '../errors.ts';
import type { RuntimeSeccomp, RuntimeSyscall, SyscallArgument } from './runtime-spec.ts';

/** What a profile's rules may depend on. */
export interface SeccompTarget {
  /** In GOARCH terms. */
  readonly architecture: string;
  /** Those of the container. */
  readonly capabilities: readonly string[];
  /** The running kernel's, such as `6.12.3-amd64`. */
  readonly kernelRelease: string;
}

interface Condition {
  readonly arches?: readonly string[] | null | undefined;
  readonly caps?: readonly string[] | null | undefined;
  /** Such as `4.8`. */
  readonly minKernel?: string | null | undefined;
}

/** containers-common's format, which Docker's profiles share. */
interface Profile {
  readonly defaultAction?: unknown | undefined;
  readonly defaultErrnoRet?: number | undefined;
  readonly architectures?: readonly string[] | null | undefined;
  readonly flags?: readonly string[] | null | undefined;
  readonly archMap?: readonly { architecture: string; subArchitectures?: readonly string[] | null }[] | null;
  readonly syscalls?: readonly ProfileRule[] | null | undefined;
}

interface ProfileRule {
  readonly name?: string | undefined;
  readonly names?: readonly string[] | null | undefined;
  readonly action?: string | undefined;
  readonly errnoRet?: number | undefined;
  readonly args?: readonly SyscallArgument[] | null | undefined;
  readonly includes?: Condition | null | undefined;
  readonly excludes?: Condition | null | undefined;
}

/** libseccomp's names for an architecture and for those whose programs its kernel runs, too. */
const SECCOMP_ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  '386': ['SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  arm: ['SCMP_ARCH_ARM'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  ppc64le: ['SCMP_ARCH_PPC64LE'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  mips64le: ['SCMP_ARCH_MIPSEL64', 'SCMP_ARCH_MIPSEL', 'SCMP_ARCH_MIPSEL64N32'],
  loong64: ['SCMP_ARCH_LOONGARCH64'],
};

/**
 * The native architecture of a filter and those beside it, for `architectures` of the runtime spec. Undefined where
 * there are none beside it: a filter holds for the native one anyway, also where libseccomp lacks its name.
 */
export function nativeArchitectures(architecture: string): readonly string[] | undefined {
  const all = SECCOMP_ARCHITECTURES[architecture];
  return all === undefined || all.length === 1 ? undefined : all;
}

/**
 * Turns a profile in containers-common's or Docker's format (also one in the runtime spec's own) into the runtime
 * spec's (config-linux.md#seccomp): the rules that hold for this architecture and these capabilities. Throws
 * `invalid-config` for what is no profile.
 */
export function resolveSeccomp(profileText: string, target: SeccompTarget): RuntimeSeccomp {
  const profile = parseProfile(profileText);
  const syscalls = (profile.syscalls ?? []).filter((rule) => applies(rule, target)).map(runtimeRule);
  return {
    defaultAction: profile.defaultAction as string,
    defaultErrnoRet: profile.defaultErrnoRet,
    architectures: filled(profileArchitectures(profile, target.architecture)),
    flags: filled(profile.flags),
    syscalls: filled(syscalls),
  };
}

/** Empty lists are left out. */
function filled<T>(list: readonly T[] | null | undefined): readonly T[] | undefined {
  return list?.length ? list : undefined;
}

function parseProfile(text: string): Profile {
  let profile: Profile | null;
  try {
    profile = JSON.parse(text) as Profile | null;
  } catch (error) {
    throw new OcitsError('invalid-config', 'the seccomp profile is not JSON', { cause: error });
  }
  if (typeof profile?.defaultAction !== 'string' || !profile.defaultAction.startsWith('SCMP_ACT_')) {
    throw new OcitsError('invalid-config', 'the seccomp profile has no defaultAction');
  }
  if (profile.syscalls !== undefined && profile.syscalls !== null && !Array.isArray(profile.syscalls)) {
    throw new OcitsError('invalid-config', 'the seccomp profile: syscalls is not a list');
  }
  return profile;
}

function profileArchitectures(profile: Profile, architecture: string): readonly string[] {
  if (profile.architectures?.length) return profile.architectures;
  const native = SECCOMP_ARCHITECTURES[architecture]?.[0];
  const entry = profile.archMap?.find((candidate) => candidate.architecture === native);
  return entry === undefined ? [] : [entry.architecture, ...(entry.subArchitectures ?? [])];
}

/** A rule that includes needs one of its architectures and all of the rest; one that excludes, none of them. */
function applies(
  { includes, excludes }: ProfileRule,
  { architecture, capabilities, kernelRelease }: SeccompTarget,
): boolean {
  if (excludes?.minKernel && isAtLeast(kernelRelease, excludes.minKernel)) return false;
  if (includes?.minKernel && !isAtLeast(kernelRelease, includes.minKernel)) return false;
  if (excludes?.arches?.length && excludes.arches.includes(architecture)) return false;
  if (excludes?.caps?.some((name) => capabilities.includes(name))) return false;
  if (includes?.arches?.length && !includes.arches.includes(architecture)) return false;
  return !includes?.caps?.length || includes.caps.every((name) => capabilities.includes(name));
}

function isAtLeast(release: string, least: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map((part) => Number.parseInt(part, 10));
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function runtimeRule({ names, name, action = '', errnoRet, args }: ProfileRule): RuntimeSyscall {
  const plainArgs = args?.map(({ index, value, valueTwo, op }) => ({
    index,
    value,
    valueTwo: valueTwo || undefined,
    op,
  }));
  return {
    names: filled(names) ?? (name === undefined ? [] : [name]),
    action,
    errnoRet,
    args: filled(plainArgs),
  };
}
