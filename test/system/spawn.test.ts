import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { runTool } from '../../src/system/process/spawn.ts';

test('what a program prints is captured', async () => {
  const { stdout, exitCode } = await runTool('printf', ['a\\nb']);
  expect(stdout.toString()).toBe('a\nb');
  expect(exitCode).toBe(0);
});

test.each(['text', Buffer.from('text'), Readable.from([Buffer.from('te'), Buffer.from('xt')])])(
  'input is fed',
  async (input) => {
    expect((await runTool('cat', [], { input })).stdout.toString()).toBe('text');
  },
);

test('a program that does not read its input is no failure', async () => {
  const { exitCode } = await runTool('true', [], { input: Buffer.alloc(8 << 20) });
  expect(exitCode).toBe(0);
});

test('a failure has the exit code and the end of standard error', async () => {
  const run = runTool('sh', ['-c', 'echo wrong >&2; exit 7']);
  await expect(run).rejects.toMatchObject({
    code: 'tool-failed',
    exitCode: 7,
    message: expect.stringContaining('wrong'),
  });
});

test('a missing program names the package that has it', async () => {
  await expect(runTool('/nowhere/netavark', [])).rejects.toMatchObject({
    code: 'missing-program',
    hint: 'install it, for example: apt-get install netavark',
  });
});

test('an aborted signal ends the program', async () => {
  const controller = new AbortController();
  const run = runTool('sleep', ['60'], { signal: controller.signal });
  controller.abort();
  await expect(run).rejects.toMatchObject({ code: 'aborted' });
});
