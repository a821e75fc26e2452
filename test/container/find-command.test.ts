import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ContainerLab } from '../support/container/container-lab.ts';
import { addBusyboxImage } from '../support/image/busybox-image.ts';

let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
  await addBusyboxImage(await lab.engine.store(), {
    reference: 'commands',
    layers: [
      [
        { path: 'opt/', type: 'directory' },
        { path: 'opt/real', content: '#!/bin/sh\necho $1\n', mode: 0o755 },
        { path: 'opt/tool', type: 'symlink', target: '../../opt/real' },
        { path: 'opt/text', content: 'no program' },
        { path: 'opt/lost', type: 'symlink', target: 'nowhere' },
        { path: 'opt/loop', type: 'symlink', target: 'loop' },
        { path: 'init', type: 'symlink', target: '/proc/self/exe' },
      ],
    ],
    config: { Env: ['PATH=/nowhere:/opt:/bin'] },
  });
});
afterAll(async () => await lab[Symbol.asyncDispose]());

const run = (...command: string[]) => lab.run(command, { image: 'commands' });

test('what is there by its path, by PATH or by a symlink runs', async () => {
  expect((await run('/bin/echo', 'a')).stdout).toBe('a\n');
  expect((await run('tool', 'b')).stdout).toBe('b\n');
  expect((await run('../bin/echo', 'c')).stdout).toBe('c\n');
});

// /init would be the runtime's own program (CVE-2019-5736).
test.each([['nothing'], ['/opt/nothing'], ['lost'], ['/opt/lost'], ['/init']])(
  '%s is not there',
  async (command) => {
    const error = {
      code: 'not-found',
      exitCode: 127,
      message: expect.stringContaining(JSON.stringify(command)),
    };
    await expect(run(command)).rejects.toMatchObject(error);
  },
);

test.each([['/opt/text'], ['/opt'], ['/']])('%s is no program', async (command) => {
  await expect(run(command)).rejects.toMatchObject({ code: 'not-executable', exitCode: 126 });
});

test('a loop of symlinks is none, either', async () => {
  await expect(run('/opt/loop')).rejects.toMatchObject({ code: expect.stringMatching(/hostile|not-/) });
});

test('what a mount may have is left to the runtime', async () => {
  const source = join(lab.folder, 'mounted');
  mkdirSync(source);
  writeFileSync(join(source, 'new'), '#!/bin/sh\necho mounted\n', { mode: 0o755 });
  const mount = { kind: 'bind', source, target: '/nowhere', readOnly: true, createSource: false } as const;
  expect((await lab.run(['new'], { image: 'commands', mounts: [mount] })).stdout).toBe('mounted\n');
  await expect(lab.run(['nope'], { image: 'commands', mounts: [mount] })).rejects.toMatchObject({
    exitCode: 127,
  });
});
