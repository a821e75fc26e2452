import { expect, test, vi } from 'vitest';
import { forEachTarget } from '../../src/cli/output/each-target.ts';
import { OcitsError } from '../../src/errors.ts';

test('a failure is told in its place, and the others go on', async () => {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  try {
    await forEachTarget(['a', 'b', 'c'], async (name) => {
      if (name === 'b') throw new OcitsError('not-found', 'no b');
      return name;
    });
    expect(process.exitCode).toBe(1);
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
  expect(written).toEqual(['a\n', 'ocits: no b\n', 'c\n']);
});

test('an interrupt is the failure of the whole command', async () => {
  const work = () => Promise.reject(new OcitsError('aborted', 'interrupted by SIGINT'));
  await expect(forEachTarget(['a', 'b'], work)).rejects.toMatchObject({ code: 'aborted' });
});
