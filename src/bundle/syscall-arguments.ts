import type { RuntimeSyscall, SyscallArgument } from './runtime-spec.ts';

const EPERM = 1;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. CLONE_NEWTIME is no flag of clone(2). */
const NAMESPACE_FLAGS: readonly number[] = [
  0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
];

/** PER_LINUX and PER_LINUX32, each also with UNAME26; the last one asks, and changes nothing. */
const PERSONALITIES: readonly number[] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
/** A debugger and setarch(8) ask for it, and say why they go on without it. */
const ADDR_NO_RANDOMIZE = 0x4_0000;
/** Of the five values, the question alone has it. */
const QUESTION_BIT = 0x8000_0000;

/**
 * AF_ALG opens the kernel's ciphers, which have had faults that changed files of others. AF_VSOCK reaches the host of
 * a virtual machine, and has no namespace.
 */
const REFUSED_FAMILIES: readonly number[] = [38, 40];
/**
 * The other families up to AF_MCTP (45), without those that the kernel has dropped (DECnet, Econet, ATMSVC, IrDA,
 * WANPIPE, ISDN, CAIF), as blocks that one mask covers: crun takes 0.1 to 0.5 ms for each rule. A mask of 32 bits is
 * enough, since the kernel looks at no others.
 */
const FAMILY_BLOCKS: readonly { readonly first: number; readonly count: 1 | 2 | 4 | 8 }[] = [
  { first: 0, count: 8 },
  { first: 8, count: 4 },
  { first: 13, count: 1 },
  { first: 14, count: 2 },
  { first: 16, count: 2 },
  { first: 18, count: 1 },
  { first: 21, count: 1 },
  { first: 22, count: 1 },
  { first: 24, count: 1 },
  { first: 26, count: 2 },
  { first: 28, count: 4 },
  { first: 32, count: 2 },
  { first: 35, count: 1 },
  { first: 36, count: 1 },
  { first: 39, count: 1 },
  { first: 41, count: 1 },
  { first: 42, count: 2 },
  { first: 44, count: 2 },
];

/**
 * The rules for calls that are judged by an argument. They allow what Docker's default profile does: clone without
 * new namespaces, or any with CAP_SYS_ADMIN; five values of personality; sockets of address families that are of use.
 * What programs are used to see refused fails with EPERM, and the rest as a call that no rule is about.
 * `architecture` in GOARCH terms, `capabilities` those of the container.
 */
export function argumentRules(
  architecture: string,
  capabilities: readonly string[],
): readonly RuntimeSyscall[] {
  return [
    ...cloneRules(architecture, capabilities),
    ...PERSONALITIES.map((value) => allow('personality', equals(value))),
    refuse('personality', masked(0, QUESTION_BIT + ADDR_NO_RANDOMIZE, ADDR_NO_RANDOMIZE)),
    ...FAMILY_BLOCKS.map(({ first, count }) => allow('socket', masked(0, 2 ** 32 - count, first))),
    ...REFUSED_FAMILIES.map((family) => refuse('socket', equals(family))),
  ];
}

function cloneRules(architecture: string, capabilities: readonly string[]): readonly RuntimeSyscall[] {
  if (capabilities.includes('CAP_SYS_ADMIN')) return [{ names: ['clone'], action: 'SCMP_ACT_ALLOW' }];
  // On Z, clone takes the stack first.
  const index = architecture === 's390x' ? 1 : 0;
  const all = NAMESPACE_FLAGS.reduce((mask, flag) => mask + flag);
  return [
    allow('clone', masked(index, all, 0)),
    ...NAMESPACE_FLAGS.map((flag) => refuse('clone', masked(index, flag, flag))),
  ];
}

function allow(name: string, argument: SyscallArgument): RuntimeSyscall {
  return { names: [name], action: 'SCMP_ACT_ALLOW', args: [argument] };
}

function refuse(name: string, argument: SyscallArgument): RuntimeSyscall {
  return { names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM, args: [argument] };
}

function equals(value: number): SyscallArgument {
  return { index: 0, value, op: 'SCMP_CMP_EQ' };
}

/** Holds where the bits of `mask` in the argument are those of `value`: the spec has the mask in `value`. */
function masked(index: number, mask: number, value: number): SyscallArgument {
  return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}
