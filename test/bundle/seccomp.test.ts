import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveSeccomp } from '../../src/bundle/seccomp.ts';

const PROFILE = readFileSync('/usr/share/containers/seccomp.json', 'utf8');

function allows(name: string, capabilities: readonly string[], architecture = 'amd64'): boolean {
  const { syscalls } = resolveSeccomp(PROFILE, { architecture, capabilities });
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
    resolveSeccomp(PROFILE, { architecture, capabilities: [] }).architectures;
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
    resolveSeccomp(text, { architecture, capabilities }).syscalls?.length ?? 0;
  expect([count(['CAP_X']), count(['CAP_X', 'CAP_Y']), count(['CAP_X', 'CAP_Y'], 'arm64')]).toEqual([
    0, 1, 0,
  ]);
});

test("Docker's old form, one name a rule, is read too", () => {
  const text = JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ name: 'read', action: 'SCMP_ACT_ALLOW', args: null }],
  });
  expect(resolveSeccomp(text, { architecture: 'amd64', capabilities: [] }).syscalls).toEqual([
    { names: ['read'], action: 'SCMP_ACT_ALLOW' },
  ]);
});

test.each([
  ['{', 'not JSON'],
  ['null', 'no defaultAction'],
  ['{"defaultAction":"allow"}', 'no defaultAction'],
  ['{"defaultAction":"SCMP_ACT_ALLOW","syscalls":7}', 'not a list'],
])('%s is no profile', (text, message) => {
  expect(() => resolveSeccomp(text, { architecture: 'amd64', capabilities: [] })).toThrow(message);
});
