import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tag } from '../../src/index.ts';
import { openStore } from '../../src/store/open-store.ts';
import { addBusyboxImage } from '../support/image/busybox-image.ts';
import { copyProject } from '../support/program/project-copy.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';

/** Those of Node's own modules that take a millisecond and more, by the names in `process.moduleLoadList`. */
const SLOW = [
  ...['child_process', 'http', 'https', 'internal/fs/promises', 'internal/webstreams/readablestream'],
  ...['perf_hooks', 'tls', 'worker_threads', 'zlib'],
];

let folder: string;
let registry: TestRegistry;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocits-loaded-modules-'));
  copyProject(join(folder, 'copy'));
  execFileSync(process.execPath, ['scripts/build.ts'], { cwd: join(folder, 'copy') });
  const list = join(folder, 'list');
  writeFileSync(
    join(folder, 'list-modules.cjs'),
    `process.on('exit', () => require('node:fs').writeFileSync('${list}', process.moduleLoadList.join('\\n')));`,
  );
  registry = await startRegistry();
  const paths = { root: join(folder, 'root'), run: join(folder, 'run') };
  await addBusyboxImage(await openStore(paths));
  await tag('busybox', `${registry.host}/library/busybox:1`, { paths });
});

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the built program; gives the slow modules that it has loaded. */
function slowModules(...args: string[]): string[] {
  const command = ['--require', join(folder, 'list-modules.cjs'), join(folder, 'copy/bin/ocits.js'), ...args];
  execFileSync(process.execPath, command, {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      HOME: join(folder, 'home'),
      OCITS_ROOT: join(folder, 'root'),
      OCITS_RUN: join(folder, 'run'),
    },
  });
  const loaded = readFileSync(join(folder, 'list'), 'utf8').split('\n');
  return SLOW.filter((name) => loaded.includes(`NativeModule ${name}`));
}

test('the modules that are looked for are there where they are used', () => {
  const name = `${registry.host}/library/busybox:1`;
  expect(slowModules('push', name)).toEqual(expect.arrayContaining(['child_process', 'http', 'zlib']));
  expect(slowModules('pull', name)).toEqual(expect.arrayContaining(['internal/fs/promises']));
});

test.each([['pull'], ['push']])('%s with nothing new loads what it takes to ask, and no more', (command) => {
  const name = `${registry.host}/library/busybox:1`;
  slowModules(command, name);
  expect(slowModules(command, name)).toEqual(['http']);
});

test.each([['images'], ['--version']])('%s loads none of them', (command) => {
  // The first list counts what the files of each layer hold.
  slowModules(command);
  expect(slowModules(command)).toEqual([]);
});
