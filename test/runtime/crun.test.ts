import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  checkCrunVersion,
  crunDelete,
  crunKill,
  crunState,
  crunVersion,
  openCrun,
} from '../../src/runtime/crun/crun.ts';
import { createDirectSupervisor } from '../../src/runtime/crun/direct-supervisor.ts';
import { isAtLeast } from '../../src/system/process/program-version.ts';
import { requireProgram } from '../../src/system/process/programs.ts';
import { containerHost } from '../support/container/container-host.ts';

test.each([
  ['1.8', '1.8', true],
  ['1.8.1', '1.8', true],
  ['1.14', '1.8', true],
  ['2', '1.8', true],
  ['1.7.9', '1.8', false],
  ['0.17', '1.8', false],
  ['1', '1.8', false],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});

test('the installed crun is new enough; one that is too old is named with what to do', async () => {
  await checkCrunVersion(requireProgram('crun'));
  expect(await crunVersion(requireProgram('crun'))).toMatch(/^\d+\.\d+/);
  const folder = mkdtempSync(join(tmpdir(), 'ocits-crun-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const old = join(folder, 'crun');
  writeFileSync(old, '#!/bin/sh\necho "crun version 0.17"\n', { mode: 0o755 });
  await expect(checkCrunVersion(old)).rejects.toMatchObject({
    code: 'missing-program',
    message: expect.stringContaining('0.17'),
  });
});

test('a container that crun does not know has no state, and killing or deleting it does nothing', async () => {
  await using host = await containerHost();
  const crun = await openCrun(host.paths);
  expect(await crunState(crun, 'nope')).toBeUndefined();
  await crunKill(crun, 'nope', 'TERM');
  await crunDelete(crun, 'nope');
});

test('a container that runs has a state, and is gone when deleted', async () => {
  await using host = await containerHost();
  const crun = await openCrun(host.paths);
  const request = host.request({ process: { args: ['sleep', '60'] } });
  const container = await createDirectSupervisor(host.paths).start(request);
  expect(await crunState(crun, request.spec.id)).toMatchObject({ status: 'running', pid: container.pid });
  await crunKill(crun, request.spec.id, 'KILL', { all: true });
  expect(await container.wait()).toMatchObject({ exitCode: 137 });
  await crunDelete(crun, request.spec.id);
  expect(await crunState(crun, request.spec.id)).toBeUndefined();
});
