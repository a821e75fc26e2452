import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as ocits from '../src/index.ts';
import { openNetworkController } from '../src/network/open-controller.ts';
import { openStore } from '../src/store/open-store.ts';
import { addBusyboxImage } from './support/image/busybox-image.ts';
import { startRegistry, type TestRegistry } from './support/registry/registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocits-library-'));
const paths = pathsIn('here');
const events: ocits.ProgressEvent[] = [];
const here = { paths, onEvent: (event: ocits.ProgressEvent) => void events.push(event) };
let registry: TestRegistry;
let name: string;

beforeAll(async () => {
  registry = await startRegistry();
  name = `${registry.host}/library/busybox:1`;
  const there = { paths: pathsIn('there') };
  await addBusyboxImage(await openStore(there.paths));
  expect(await ocits.tag('busybox', name, there)).toBe(name);
  const pushed = await ocits.push(name, there);
  expect(pushed).toEqual({ name, digest: expect.stringMatching(/^sha256:/), sizeBytes: expect.any(Number) });
});

afterAll(async () => {
  for (const { id } of await ocits.containers({ ...here, all: true })) {
    await ocits.removeContainer(id, { ...here, force: true });
  }
  await openNetworkController(paths).prune();
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function pathsIn(place: string): ocits.HostPaths {
  return { root: join(folder, place, 'root'), run: join(folder, place, 'run') };
}

/** The exit code and the output of a container that is run to its end. */
async function ran(image: string, options: ocits.ForegroundRunOptions = {}) {
  const stdout = new PassThrough();
  const output = text(stdout);
  const exitCode = await ocits.run(image, { ...here, stdout, ...options });
  stdout.end();
  return { exitCode, output: await output };
}

test('an image is pulled, and a second time it is there', async () => {
  const pulled = await ocits.pull(name, here);
  expect(pulled).toMatchObject({ name, isNew: true, digest: expect.stringMatching(/^sha256:/) });
  expect(events).toContainEqual(expect.objectContaining({ type: 'layer', state: 'downloaded' }));
  expect(await ocits.pull(name, here)).toEqual({ ...pulled, isNew: false });
  const [listed] = await ocits.images({ ...here, filters: ['reference=*/library/busybox'] });
  expect(listed).toMatchObject({ id: pulled.id, names: [name], platform: expect.stringContaining('linux/') });
});

test('an image is built, run, saved, removed and loaded again', async () => {
  const context = join(folder, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), `FROM ${name}\nARG WHO\nRUN echo hello $WHO > /greeting\n`);
  const options = {
    tags: ['greeting:1'],
    buildArgs: { WHO: 'you' },
    network: 'none',
    sourceDateEpoch: 0,
  } as const;
  const { id } = await ocits.build(context, { ...here, ...options });
  expect((await ocits.build(context, { ...here, ...options })).id).toBe(id);
  const command = ['cat', '/greeting', '-'];
  const flags = { network: 'none', rm: true };
  const stdin = Readable.from(['more\n']);
  expect(await ran('greeting:1', { command, flags, stdin })).toEqual({
    exitCode: 0,
    output: 'hello you\nmore\n',
  });
  const archive = join(folder, 'greeting.tar');
  await ocits.save(['greeting:1'], archive, here);
  const removals = await ocits.removeImage('greeting:1', here);
  expect(removals).toContainEqual({ kind: 'untagged', name: 'greeting:1' });
  await expect(ran('greeting:1', { flags, pull: 'never' })).rejects.toMatchObject({ code: 'not-found' });
  expect(await ocits.load(archive, here)).toEqual([{ names: ['greeting:1'], ids: [id] }]);
});

test('a container in the background is listed, stopped and removed', async () => {
  const id = await ocits.runDetached(name, { ...here, command: ['sleep', '60'], flags: { name: 'sleeper' } });
  const [listed] = await ocits.containers(here);
  expect(listed).toMatchObject({
    id,
    name: 'sleeper',
    image: name,
    status: 'running',
    command: ['sleep', '60'],
  });
  await ocits.stopContainer('sleeper', { ...here, timeoutSeconds: 0 });
  expect(await ocits.containers(here)).toEqual([]);
  expect(await ocits.containers({ ...here, all: true })).toMatchObject([{ id, exitCode: 137 }]);
  await ocits.removeContainer('sleeper', here);
  expect(await ocits.containers({ ...here, all: true })).toEqual([]);
});

test('what goes wrong is an OcitsError, the end by a signal too', async () => {
  await expect(ocits.pull(`${registry.host}/nosuch`, here)).rejects.toMatchObject({ code: 'not-found' });
  await expect(ocits.pull('UPPER', here)).rejects.toThrow(ocits.OcitsError);
  const signal = AbortSignal.timeout(500);
  const flags = { network: 'none', rm: true };
  const run = ocits.run(name, { ...here, signal, flags, command: ['sleep', '60'] });
  const error = await run.catch((thrown: unknown) => thrown);
  expect(ocits.isOcitsError(error, 'aborted')).toBe(true);
  expect(await ocits.containers({ ...here, all: true })).toEqual([]);
});
