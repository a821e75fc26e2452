import type { SyscallGroup } from './syscall-groups.ts';

/**
 * Refused to every container with EPERM, whatever its capabilities: Docker's default profile does not name them.
 * Calls that few architectures have, and names without a call, are in no list.
 */
export const REFUSED_SYSCALLS: readonly SyscallGroup[] = [
  { why: 'The key rings of the kernel have no namespace of their own.', calls: 'add_key keyctl request_key' },
  {
    why: 'It does what other calls do without passing the filter, and has had many faults.',
    calls: 'io_uring_enter io_uring_register io_uring_setup',
  },
  { why: 'Another kernel.', calls: 'kexec_file_load kexec_load' },
  { why: 'The root of the container is set once, by the runtime.', calls: 'pivot_root' },
  { why: "The host's memory.", calls: 'migrate_pages move_pages swapoff swapon' },
  {
    why: 'It stops the kernel in the middle of a copy, which makes races in it easy to win.',
    calls: 'userfaultfd',
  },
  {
    why: 'They tell of the host, or load code past the usual checks.',
    calls: 'sysfs uselib ustat vm86 vm86old',
  },
  {
    why: '32-bit x86 has newer calls for these, which C libraries use.',
    calls: `bdflush nice oldfstat oldlstat oldolduname oldstat olduname readdir sgetmask sigaction signal sigpending
      sigsuspend ssetmask`,
  },
];

/** A call that came with a recent kernel. */
export interface NewSyscall {
  readonly call: string;
  /** The kernel that brought it. */
  readonly since: string;
  /**
   * `allow`; a capability that a container needs for it; or `absent`: it fails with ENOSYS, as with an older kernel,
   * and programs do without it.
   */
  readonly decision: 'allow' | 'absent' | `CAP_${string}`;
  readonly why: string;
}

/**
 * The kernel's calls from 6.4 to 7.0, each decided by itself. Where Docker's profile has one, the decision is Docker's.
 * A call that is in no list, such as one of a later kernel, is absent.
 */
export const NEW_SYSCALLS: readonly NewSyscall[] = [
  { call: 'riscv_hwprobe', since: '6.4', decision: 'allow', why: 'says what the processor can do' },
  { call: 'cachestat', since: '6.5', decision: 'allow', why: 'counts cached pages of an open file' },
  {
    call: 'fchmodat2',
    since: '6.6',
    decision: 'allow',
    why: 'fchmodat with flags; C libraries try it first',
  },
  { call: 'map_shadow_stack', since: '6.6', decision: 'allow', why: 'a second stack for return addresses' },
  { call: 'futex_requeue', since: '6.7', decision: 'allow', why: 'futex in parts' },
  { call: 'futex_wait', since: '6.7', decision: 'allow', why: 'futex in parts' },
  { call: 'futex_wake', since: '6.7', decision: 'allow', why: 'futex in parts' },
  { call: 'listmount', since: '6.8', decision: 'allow', why: 'the mounts that /proc/self/mountinfo shows' },
  { call: 'statmount', since: '6.8', decision: 'allow', why: 'the mounts that /proc/self/mountinfo shows' },
  { call: 'lsm_get_self_attr', since: '6.8', decision: 'CAP_SYS_ADMIN', why: "labels of the host's policy" },
  { call: 'lsm_list_modules', since: '6.8', decision: 'CAP_SYS_ADMIN', why: "labels of the host's policy" },
  { call: 'lsm_set_self_attr', since: '6.8', decision: 'CAP_SYS_ADMIN', why: "labels of the host's policy" },
  { call: 'mseal', since: '6.10', decision: 'allow', why: 'takes a right from the process itself' },
  { call: 'uretprobe', since: '6.11', decision: 'allow', why: 'the kernel makes a traced program call it' },
  { call: 'getxattrat', since: '6.13', decision: 'allow', why: 'getxattr in a folder' },
  { call: 'listxattrat', since: '6.13', decision: 'allow', why: 'listxattr in a folder' },
  { call: 'removexattrat', since: '6.13', decision: 'allow', why: 'removexattr in a folder' },
  { call: 'setxattrat', since: '6.13', decision: 'allow', why: 'setxattr in a folder' },
  {
    call: 'open_tree_attr',
    since: '6.15',
    decision: 'CAP_SYS_ADMIN',
    why: 'open_tree and mount_setattr in one',
  },
  { call: 'file_getattr', since: '6.17', decision: 'absent', why: 'programs have the ioctl' },
  { call: 'file_setattr', since: '6.17', decision: 'absent', why: 'programs have the ioctl' },
  { call: 'uprobe', since: '6.18', decision: 'allow', why: 'the kernel makes a traced program call it' },
  {
    call: 'listns',
    since: '6.19',
    decision: 'absent',
    why: 'numbers of namespaces are for monitors of a host',
  },
  {
    call: 'rseq_slice_yield',
    since: '7.0',
    decision: 'absent',
    why: 'every other call gives a slice back, too',
  },
];
