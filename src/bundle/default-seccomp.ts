import { NEW_SYSCALLS, REFUSED_SYSCALLS } from './refused-syscalls.ts';
import type { RuntimeSeccomp } from './runtime-spec.ts';
import { nativeArchitectures, type SeccompTarget } from './seccomp.ts';
import { argumentRules } from './syscall-arguments.ts';
import { ALLOWED_SYSCALLS, CAPABILITY_SYSCALLS } from './syscall-groups.ts';

const EPERM = 1;
const ENOSYS = 38;

/**
 * The filter of a container for which no other was named (runtime-spec config-linux.md#seccomp): Docker's default
 * rules for this architecture and these capabilities. What is allowed is allowed; what the lists refuse fails with
 * EPERM. All else fails with ENOSYS, so that programs do without calls that are newer than the lists. clone3 is among
 * those, unless with CAP_SYS_ADMIN: its flags lie in memory, which no filter can read, and C libraries then use clone.
 * Pure.
 */
export function defaultSeccomp({ architecture, capabilities }: SeccompTarget): RuntimeSeccomp {
  const { allowed, refused } = decideCalls(architecture, capabilities);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: nativeArchitectures(architecture),
    syscalls: [
      // First of all: libseccomp derives rules for socketcall from those for socket, unless it has this one already.
      { names: ['socketcall'], action: 'SCMP_ACT_ALLOW' },
      // Before the long lists: for each rule that comes, libseccomp copies all that it has.
      ...argumentRules(architecture, capabilities),
      { names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      { names: allowed, action: 'SCMP_ACT_ALLOW' },
    ],
  };
}

function decideCalls(architecture: string, capabilities: readonly string[]) {
  const allowed = new Set<string>();
  const refused = new Set<string>();
  const decide = (calls: readonly string[], isAllowed: boolean) => {
    for (const call of calls) (isAllowed ? allowed : refused).add(call);
  };
  for (const { calls, architectures } of ALLOWED_SYSCALLS)
    if (architectures?.includes(architecture) ?? true) decide(names(calls), true);
  for (const { calls, capability } of CAPABILITY_SYSCALLS)
    decide(names(calls), capabilities.includes(capability));
  for (const { calls } of REFUSED_SYSCALLS) decide(names(calls), false);
  for (const { call, decision } of NEW_SYSCALLS)
    if (decision !== 'absent') decide([call], decision === 'allow' || capabilities.includes(decision));
  if (capabilities.includes('CAP_SYS_ADMIN')) allowed.add('clone3');
  return { allowed: [...allowed], refused: [...refused].filter((call) => !allowed.has(call)) };
}

function names(calls: string): readonly string[] {
  return calls.split(/\s+/);
}
