import { expect, test } from 'vitest';
import { checkHost } from '../../src/system/host-check.ts';

test('a host with all packages has nothing missing', async () => {
  const findings = await checkHost();
  expect(findings.filter(({ state }) => state === 'missing')).toEqual([]);
  expect(findings.find(({ name }) => name === 'crun')?.detail).toMatch(/^\d+\.\d+/);
});

test('what is not on PATH is named with the package that has it', async () => {
  const path = process.env['PATH'];
  const { findProgram } = await import('../../src/system/programs.ts');
  expect(findProgram('no-such-program-here')).toBeUndefined();
  expect(findProgram('crun', { PATH: 'relative' })).toBe('/usr/bin/crun');
  expect(process.env['PATH']).toBe(path);
});
