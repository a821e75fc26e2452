import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveSeccomp } from '../../src/bundle/seccomp.ts';

/** podman's default profile, which its package brings. */
const PROFILE = readFileSync('/usr/share/containers/seccomp.json', 'utf8');
const TARGET = { architecture: 'amd64', capabilities: [], kernelRelease: '6.12.3-amd64' };

function allows(name: string, capabilities: readonly string[], architecture = 'amd64'): boolean {
  const { syscalls } = resolveSeccomp(PROFILE, { ...TARGET, architecture, capabilities });
  return syscalls!.some(
    (rule) => rule.action === 'SCMP_ACT_ALLOW' && rule.names.includes(name) && !rule.args,
  );
}

test('a rule for a capability holds with that capability alone', () => {
  expect(allows('read', [])).toBe(true);
  expect(allows('kexec_load', [])).toBe(false);
  expect(allows('mount', [])).toBe(allows('mount', ['CAP_SYS_ADMIN']));
  expect(allows('open_by_handle_at', [])).toBe(false);
  expect(allows('open_by_handle_at', ['CAP_DAC_READ_SEARCH'])).toBe(true);
  expect(allows('bpf', ['CAP_SYS_ADMIN'])).toBe(true);
});

test('a rule for an architecture holds on that one alone', () => {
  expect(allows('arch_prctl', [])).toBe(true);
  expect(allows('arch_prctl', [], 'arm64')).toBe(false);
  expect(allows('arm_fadvise64_64', [], 'arm64')).toBe(true);
});

test('the architectures are the native one and those it runs besides', () => {
  const architectures = (architecture: string) =>
    resolveSeccomp(PROFILE, { ...TARGET, architecture }).architectures;
  expect(architectures('amd64')).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  expect(architectures('arm64')).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  expect(architectures('riscv64')).toBeUndefined();
});

test('all conditions of a rule have to hold', () => {
  const rule = {
    names: ['a'],
    action: 'SCMP_ACT_ALLOW',
    includes: { caps: ['CAP_X', 'CAP_Y'], arches: ['amd64'] },
  };
  const text = JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [rule] });
  const count = (capabilities: string[], architecture = 'amd64') =>
    resolveSeccomp(text, { ...TARGET, architecture, capabilities }).syscalls?.length ?? 0;
  expect([count(['CAP_X']), count(['CAP_X', 'CAP_Y']), count(['CAP_X', 'CAP_Y'], 'arm64')]).toEqual([
    0, 1, 0,
  ]);
});

test.each([
  ['4.8', '4.7.10', 0],
  ['4.8', '4.8.0-rc1', 1],
  ['4.8', '4.10', 1],
  ['4.8', '6.12.3-amd64', 1],
  ['5.9', '4.19', 0],
])(
  'a rule that includes kernels from %s on: with %s it counts %i times',
  (minKernel, kernelRelease, count) => {
    const rule = { names: ['a'], action: 'SCMP_ACT_ALLOW' };
    const rules = (condition: object) => {
      const text = JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ ...rule, ...condition }] });
      return resolveSeccomp(text, { ...TARGET, kernelRelease }).syscalls?.length ?? 0;
    };
    expect(rules({ includes: { minKernel } })).toBe(count);
    expect(rules({ excludes: { minKernel } })).toBe(1 - count);
  },
);

test("Docker's old form, one name a rule, is read too", () => {
  const text = JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ name: 'read', action: 'SCMP_ACT_ALLOW', args: null }],
  });
  expect(resolveSeccomp(text, TARGET).syscalls).toEqual([{ names: ['read'], action: 'SCMP_ACT_ALLOW' }]);
});

test.each([
  ['{', 'not JSON'],
  ['null', 'no defaultAction'],
  ['{"defaultAction":"allow"}', 'no defaultAction'],
  ['{"defaultAction":"SCMP_ACT_ALLOW","syscalls":7}', 'not a list'],
])('%s is no profile', (text, message) => {
  expect(() => resolveSeccomp(text, TARGET)).toThrow(message);
});
