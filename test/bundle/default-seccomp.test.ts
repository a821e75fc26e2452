import { expect, test } from 'vitest';
import { ALL_CAPABILITIES } from '../../src/bundle/capabilities.ts';
import { defaultSeccomp } from '../../src/bundle/default-seccomp.ts';
import { NEW_SYSCALLS, REFUSED_SYSCALLS } from '../../src/bundle/refused-syscalls.ts';
import { ALLOWED_SYSCALLS, CAPABILITY_SYSCALLS } from '../../src/bundle/syscall-groups.ts';

type Capabilities = readonly string[];

function filter(capabilities: Capabilities = [], architecture = 'amd64') {
  return defaultSeccomp({ architecture, capabilities, kernelRelease: '6.12.3' });
}

/** How a call ends, whatever its arguments: `allowed`, an error number, or undefined where arguments decide. */
function verdict(call: string, capabilities: Capabilities = [], architecture = 'amd64') {
  const { syscalls = [], defaultErrnoRet } = filter(capabilities, architecture);
  const rules = syscalls.filter(({ names }) => names.includes(call));
  if (rules.some(({ args }) => args !== undefined)) return undefined;
  expect(rules.length, call).toBeLessThanOrEqual(1);
  const [rule] = rules;
  if (rule === undefined) return defaultErrnoRet;
  return rule.action === 'SCMP_ACT_ALLOW' ? 'allowed' : rule.errnoRet;
}

/** The same for a call that its argument decides, as a filter evaluates the rules. */
function verdictOf(call: string, argument: bigint, capabilities: Capabilities = [], architecture = 'amd64') {
  const { syscalls = [], defaultErrnoRet } = filter(capabilities, architecture);
  const rules = syscalls.filter(({ names, args }) => {
    const [{ value = 0, valueTwo = 0, op = '' } = {}] = args ?? [];
    if (!names.includes(call)) return false;
    if (op === 'SCMP_CMP_EQ') return argument === BigInt(value);
    if (op === 'SCMP_CMP_GT') return argument > BigInt(value);
    if (op === 'SCMP_CMP_MASKED_EQ') return (argument & BigInt(value)) === BigInt(valueTwo);
    return args === undefined;
  });
  const verdicts = new Set(
    rules.map(({ action, errnoRet }) => (action === 'SCMP_ACT_ALLOW' ? 'allowed' : errnoRet)),
  );
  // Rules that contradict each other would leave it to libseccomp.
  expect(verdicts.size, `${call} ${argument}`).toBeLessThanOrEqual(1);
  return verdicts.size === 0 ? defaultErrnoRet : [...verdicts][0];
}

test('every group says why, and its calls are sorted; no call is decided twice', () => {
  for (const { why, calls } of [...ALLOWED_SYSCALLS, ...CAPABILITY_SYSCALLS, ...REFUSED_SYSCALLS]) {
    expect(why).not.toBe('');
    const names = calls.split(/\s+/);
    expect(names).toEqual([...new Set(names)].toSorted());
    for (const name of names) expect(name).toMatch(/^[a-z_][a-z0-9_]*$/);
  }
  const everywhere = ALLOWED_SYSCALLS.filter(({ architectures }) => architectures === undefined);
  const once = [...everywhere, ...REFUSED_SYSCALLS].flatMap(({ calls }) => calls.split(/\s+/));
  const all = [...once, ...NEW_SYSCALLS.map(({ call }) => call)];
  expect(all).toEqual([...new Set(all)]);
  const conditional = new Set(CAPABILITY_SYSCALLS.flatMap(({ calls }) => calls.split(/\s+/)));
  for (const { calls } of REFUSED_SYSCALLS)
    for (const name of calls.split(/\s+/)) expect(conditional.has(name), name).toBe(false);
  for (const { capability } of CAPABILITY_SYSCALLS) expect(ALL_CAPABILITIES).toContain(capability);
});

test.each([
  ['namespaces', 'setns unshare'],
  [
    'mounts',
    'fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr umount umount2',
  ],
  ['key rings', 'add_key keyctl request_key'],
  ['places of memory', 'get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node'],
  ['other processes', 'kcmp pidfd_getfd process_madvise'],
  ['io_uring', 'io_uring_enter io_uring_register io_uring_setup'],
  [
    'the kernel',
    'bpf finit_module init_module kexec_file_load kexec_load perf_event_open syslog userfaultfd',
  ],
  [
    'the host',
    'acct clock_settime ioperm iopl open_by_handle_at pivot_root reboot settimeofday swapon vhangup',
  ],
])('%s: refused with EPERM', (_what, calls) => {
  for (const call of calls.split(' ')) expect(verdict(call), call).toBe(1);
});

test('new calls are in the order of the kernels that brought them, and each has a reason', () => {
  const versions = NEW_SYSCALLS.map(({ since }) => since.split('.').map(Number) as [number, number]);
  expect(versions).toEqual(versions.toSorted(([a, b], [c, d]) => a - c || b - d));
  for (const { call, why, decision } of NEW_SYSCALLS) {
    expect(why, call).not.toBe('');
    const plain = { allow: 'allowed', absent: 38 }[decision as string] ?? 1;
    expect(verdict(call), call).toBe(plain);
    if (decision.startsWith('CAP_')) expect(verdict(call, [decision]), call).toBe('allowed');
  }
});

test('what programs live on is allowed without a capability', () => {
  const calls =
    'read openat2 futex rseq statx execve ptrace seccomp landlock_add_rule fchmodat2 statmount mseal';
  for (const call of calls.split(' ')) expect(verdict(call), call).toBe('allowed');
});

test.each([
  [
    'CAP_SYS_ADMIN',
    'mount umount2 unshare setns clone clone3 bpf open_tree open_tree_attr lsm_list_modules syslog',
  ],
  ['CAP_BPF', 'bpf'],
  ['CAP_PERFMON', 'perf_event_open'],
  ['CAP_SYSLOG', 'syslog'],
  ['CAP_SYS_NICE', 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node'],
  ['CAP_SYS_PTRACE', 'kcmp pidfd_getfd process_madvise'],
  ['CAP_SYS_CHROOT', 'chroot'],
  ['CAP_SYS_TIME', 'clock_settime clock_settime64 settimeofday stime'],
  ['CAP_DAC_READ_SEARCH', 'open_by_handle_at'],
])('%s allows %s', (capability, calls) => {
  for (const call of calls.split(' ')) expect(verdict(call, [capability]), call).toBe('allowed');
});

test('no capability brings these', () => {
  for (const call of ['keyctl', 'io_uring_setup', 'pivot_root', 'kexec_load', 'userfaultfd', 'swapon'])
    expect(verdict(call, ALL_CAPABILITIES), call).toBe(1);
});

test('a call that nobody knows does not exist; neither does clone3, so that libraries use clone', () => {
  for (const call of ['clone3', 'listns', 'file_setattr', 'from_the_future'])
    expect(verdict(call), call).toBe(38);
});

test('clone makes no namespace, alone or with others, unless with CAP_SYS_ADMIN', () => {
  const flags = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n];
  for (const flag of flags) expect(verdictOf('clone', flag | 17n), `${flag}`).toBe(1);
  expect(verdictOf('clone', 0x7e020011n)).toBe(1);
  // fork, and a thread.
  for (const plain of [17n, 0x3d0f00n]) expect(verdictOf('clone', plain)).toBe('allowed');
  expect(verdictOf('clone', 0x7e020011n, ['CAP_SYS_ADMIN'])).toBe('allowed');
});

test('on Z the flags of clone are its second argument', () => {
  const indexes = (architecture: string) =>
    filter([], architecture)
      .syscalls?.filter(({ names }) => names.includes('clone'))
      .map(({ args }) => args?.[0]?.index);
  expect(new Set(indexes('s390x'))).toEqual(new Set([1]));
  expect(new Set(indexes('amd64'))).toEqual(new Set([0]));
});

test('personality knows five values; leaving randomness is refused as it is at Docker', () => {
  for (const value of [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn])
    expect(verdictOf('personality', value), `${value}`).toBe('allowed');
  for (const value of [0x40000n, 0x60000n, 0x40008n]) expect(verdictOf('personality', value)).toBe(1);
  for (const value of [1n, 0x10n, 0x17n, 0x100000n, 0x400000n, 0x8000000n, 0xfffffffen])
    expect(verdictOf('personality', value), `${value}`).not.toBe('allowed');
});

test('sockets: the families of use, not those of ciphers, of virtual machines and of kernels past and to come', () => {
  const isAllowed = (family: number) => verdictOf('socket', BigInt(family), ALL_CAPABILITIES) === 'allowed';
  const families = Array.from({ length: 64 }, (_, family) => family);
  const dropped = [12, 19, 20, 23, 25, 34, 37];
  expect(families.filter((family) => !isAllowed(family))).toEqual(
    [...dropped, 38, 40, ...families.slice(46)].toSorted((a, b) => a - b),
  );
  for (const family of [255, 256 + 38, 2 ** 31, 2 ** 32 - 1])
    expect(isAllowed(family), `${family}`).toBe(false);
  for (const family of [38, 40]) expect(verdictOf('socket', BigInt(family), ALL_CAPABILITIES)).toBe(1);
});

test('the rule for socketcall comes first, and those for arguments come before the long lists', () => {
  const names = filter().syscalls?.map((rule) => rule.names) ?? [];
  expect(names[0]).toEqual(['socketcall']);
  expect(names.slice(1, -2).flat()).toEqual(expect.arrayContaining(['clone', 'personality', 'socket']));
  expect(names.slice(0, -2).every(({ length }) => length === 1)).toBe(true);
  // Each rule with an argument takes crun up to half a millisecond.
  expect(names.length).toBeLessThan(45);
});

test('an architecture has its own calls, and its filter holds for those whose programs the kernel runs, too', () => {
  expect(verdict('arch_prctl')).toBe('allowed');
  expect(verdict('arch_prctl', [], 'arm64')).toBe(38);
  expect(verdict('cacheflush', [], 'arm64')).toBe('allowed');
  expect(verdict('riscv_flush_icache', [], 'riscv64')).toBe('allowed');
  expect(filter().architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  expect(filter([], 'arm64').architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  expect(filter([], 'riscv64').architectures).toBeUndefined();
  expect(filter([], 'of-the-future').architectures).toBeUndefined();
});
