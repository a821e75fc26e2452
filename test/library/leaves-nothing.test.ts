import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { addToFake, imageOf, layerOf, tarOf } from '../support/registry/remote-image.ts';

const INDEX = join(import.meta.dirname, '../../src/index.ts');

/** What a process holds at one moment. */
interface Holdings {
  readonly descriptors: number;
  readonly threads: number;
  readonly listeners: number;
  readonly resources: readonly string[];
}

/** A program that makes `rounds` rounds of calls, prints what it holds after the first and the last, and just ends. */
const PROGRAM = (name: string, folder: string, rounds: number) => `
import { readdirSync } from 'node:fs';
import * as ocits from ${JSON.stringify(INDEX)};
const at = (place) => ({
  paths: { root: ${JSON.stringify(folder)} + '/' + place + '/root', run: ${JSON.stringify(folder)} + '/' + place + '/run' },
});
const holdings = () => ({
  descriptors: readdirSync('/proc/self/fd').length,
  threads: readdirSync('/proc/self/task').length,
  listeners: process.eventNames().reduce((sum, event) => sum + process.listenerCount(event), 0),
  resources: process.getActiveResourcesInfo().filter((kind) => !/^(TTYWrap|PipeWrap|FSReqCallback|Immediate)$/.test(kind)).sort(),
});
const controller = new AbortController();
const round = async (number) => {
  // A store of its own: each time the image is fetched and its layers are unpacked.
  const here = { ...at(number), signal: controller.signal };
  await ocits.pull(${JSON.stringify(name)}, here);
  await ocits.tag(${JSON.stringify(name)}, 'copy:' + number, here);
  await ocits.images(here);
  await ocits.removeImage('copy:' + number, here);
  await ocits.pull('127.0.0.1:1/nothing:1', { ...here, signal: AbortSignal.timeout(20) }).catch(() => {});
};
await round(0);
const before = holdings();
for (let number = 1; number < ${rounds}; number++) await round(number);
console.log(JSON.stringify({ before, after: holdings() }));
`;

test('a hundred calls of the library leave no socket, timer, thread, descriptor or listener, and the program ends', async () => {
  await using fake = await FakeRegistry.start();
  addToFake(fake, '1', imageOf({ layers: [layerOf(tarOf({ 'etc/': '', 'etc/one': 'first' }))] }));
  const folder = mkdtempSync(join(tmpdir(), 'ocits-leaves-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'program.mjs');
  writeFileSync(file, PROGRAM(`${fake.host}/a/b:1`, folder, 20));
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_RUNTIME_DIR: folder };
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  const output = await text(child.stdout);
  expect(await exited).toBe(0);
  const { before, after } = JSON.parse(output) as { before: Holdings; after: Holdings };
  expect(after).toEqual(before);
  expect(after.resources).toEqual([]);
});
