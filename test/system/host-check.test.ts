import { expect, test } from 'vitest';
import { checkHost } from '../../src/system/process/host-check.ts';

test('a host with all packages has nothing missing', async () => {
  const findings = await checkHost();
  expect(findings.filter(({ state }) => state === 'missing')).toEqual([]);
  expect(findings.find(({ name }) => name === 'crun')?.detail).toMatch(/^\d+\.\d+/);
  expect(findings).toContainEqual({
    name: 'seccomp',
    state: 'ok',
    detail: 'the kernel filters system calls',
  });
});
