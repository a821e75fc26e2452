import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { isRunning, ownSleep } from '../support/program/processes.ts';
import { Remains } from '../support/program/remains.ts';

let ocits: CommandLine;
let remains: Remains;

beforeAll(async () => {
  const bridge = `oce${process.pid}`;
  const subnet = `10.99.${process.pid % 256}.0/24`;
  ocits = await CommandLine.open(['busybox', 'node'], { OCITS_BRIDGE: bridge, OCITS_SUBNET: subnet });
  remains = new Remains(ocits);
  await ocits.ok('pull', '-q', 'busybox');
}, 300_000);

afterAll(async () => {
  await ocits.ok('network', 'prune', '-f');
  await ocits[Symbol.asyncDispose]();
});

afterEach(async () => {
  // conmon's own clean-up may still be on its way.
  await vi.waitFor(() => expect(remains.list()).toEqual([]), { timeout: PATIENCE_MS, interval: 50 });
});

type Ending = 'SIGINT' | 'SIGTERM' | 'SIGKILL';
const CODES: Readonly<Record<Ending, number | null>> = { SIGINT: 130, SIGTERM: 143, SIGKILL: null };

/** Resolves when standard error has shown it, or the program has ended. */
async function shown(child: ChildProcess, pattern: RegExp): Promise<void> {
  let seen = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  child.stderr!.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    if (pattern.test(seen)) resolve();
  });
  child.once('close', () => resolve());
  await promise;
}

/** Ends it once standard error has shown the pattern; its exit code. */
async function endAt(args: readonly string[], pattern: RegExp, how: Ending): Promise<number | null> {
  const child = ocits.start(args);
  child.stdout!.resume();
  const closed = once(child, 'close');
  await shown(child, pattern);
  child.kill(how);
  return (await closed)[0];
}

describe('a pull', () => {
  test.each<[Ending, string, RegExp]>([
    ['SIGTERM', 'as it begins', /Pulling fs layer/],
    ['SIGINT', 'while layers come', /Download complete/],
    ['SIGKILL', 'while layers come', /Download complete/],
    ['SIGKILL', 'while layers are unpacked', /(?:Download complete[\s\S]*){4}/],
    ['SIGKILL', 'when one is unpacked', /Pull complete/],
  ])('that %s ends %s is done again', async (how, _when, pattern) => {
    expect(await endAt(['pull', 'node'], pattern, how)).toBe(CODES[how]);
    if (how !== 'SIGKILL') expect(remains.list({ partial: true })).toEqual([]);
    expect(await ocits.ok('images', '-q', 'node')).toBe('');
    await ocits.ok('pull', '-q', 'node');
    expect(remains.list()).toEqual([]);
    await ocits.ok('system', 'fsck');
    await ocits.ok('rmi', 'node');
  });
});

describe.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('a build that %s ends', (how) => {
  test.each([
    ['as it begins', /load build definition/],
    ['while a RUN runs', /\d begun/],
    ['after a step', /#\d+ DONE[\s\S]*second/],
  ])('%s is done again, and nothing runs on', async (_when, pattern) => {
    const sleep = ownSleep();
    const context = ocits.context({
      Dockerfile: `FROM busybox
RUN echo first ${how} ${pattern.source.length}
RUN echo second; test -e /skip || { echo begun; ${sleep}; }
`,
      'Dockerfile.quick': 'FROM busybox\nRUN echo quick\n',
    });
    expect(await endAt(['build', context], pattern, how)).toBe(CODES[how]);
    if (how !== 'SIGKILL') expect(remains.list()).toEqual([]);
    await ocits.ok('build', '-q', '-f', join(context, 'Dockerfile.quick'), context);
    expect(isRunning(sleep)).toBe(false);
    expect(remains.list()).toEqual([]);
  });
});

/** From before the program is loaded to after the container's start. */
const MOMENTS_MS = [40, 80, 110, 140, 170, 200, 240, 300] as const;

describe.each(['SIGINT', 'SIGKILL'] as const)('a run that %s ends', (how) => {
  test.each(MOMENTS_MS)('after %d ms leaves nothing behind, once the container has ended', async (ms) => {
    const cid = join(ocits.folder, `cid-${how}-${ms}`);
    const flags = ['--rm', '--cidfile', cid, '-p', '127.0.0.1:0:80', '-v', '/data'];
    const child = ocits.start(['run', ...flags, 'busybox', 'sleep', '0.4']);
    child.stdout!.resume();
    child.stderr!.resume();
    const closed = once(child, 'close');
    await delay(ms);
    child.kill(how);
    await closed;
    if (how === 'SIGINT') return expect(remains.list()).toEqual([]);
    await vi.waitUntil(async () => (await ocits.ok('ps', '-aq')) === '', {
      timeout: PATIENCE_MS,
      interval: 100,
    });
    expect(await ocits.ok('ps', '-q')).toBe('');
  });
});

describe.each(['SIGINT', 'SIGKILL'] as const)('a push that %s ends', (how) => {
  test.each([
    ['as it begins', /Preparing/],
    ['while a layer is compressed', /Compressing/],
    ['while a layer is sent', /Pushing/],
  ])('%s is done again', async (_when, pattern) => {
    const name = `${ocits.registry.host}/crash/${how.toLowerCase()}:${pattern.source.toLowerCase()}`;
    const dockerfile = `FROM busybox\nRUN dd if=/dev/urandom of=/f bs=1M count=24 2>/dev/null # ${name}\n`;
    await ocits.ok('build', '-q', '--network', 'none', '-t', name, ocits.context({ Dockerfile: dockerfile }));
    expect(await endAt(['push', name], pattern, how)).toBe(CODES[how]);
    if (how !== 'SIGKILL') expect(remains.list()).toEqual([]);
    await ocits.ok('push', '-q', name);
    expect(remains.list()).toEqual([]);
    await ocits.ok('rmi', name);
    await ocits.ok('pull', '-q', name);
    await ocits.ok('rmi', name);
  });
});

describe('a container whose ocits was killed', () => {
  test.each([
    ['--rm', 'bridge'],
    ['--rm=false', 'none'],
  ])('goes on (%s, --network %s), is seen and used, and goes when it has ended', async (rm, network) => {
    const script = 'echo up; until test -e /stop; do sleep 0.05; done; exit 8';
    const flags = [rm, '--name', 'orphan', '--network', network];
    const child = ocits.start(['run', ...flags, 'busybox', 'sh', '-c', script]);
    const closed = once(child, 'close');
    await once(child.stdout!, 'data');
    child.kill('SIGKILL');
    child.stdout!.destroy();
    child.stderr!.destroy();
    await closed;
    expect(await ocits.ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('orphan running\n');
    expect(await ocits.ok('exec', 'orphan', 'cat', '/proc/1/comm')).toBe('sh\n');
    expect(await ocits.ok('images', '-q')).not.toBe('');
    // It may end before the command does, and the command with it.
    await ocits.run(['exec', 'orphan', 'touch', '/stop']);
    await vi.waitUntil(async () => (await ocits.ok('ps', '-q')) === '', {
      timeout: PATIENCE_MS,
      interval: 50,
    });
    const left = await ocits.ok('ps', '-a', '--format', '{{.Names}} {{.State}}');
    if (rm === '--rm') return expect(left).toBe('');
    expect(left).toBe('orphan exited\n');
    expect(await ocits.ok('logs', 'orphan')).toBe('up\n');
    await ocits.ok('rm', 'orphan');
  });

  test('can be stopped, when its conmon was killed as well', async () => {
    await ocits.ok('run', '-d', '--name', 'unwatched', '-p', '127.0.0.1:0:80', 'busybox', 'sleep', '300');
    const [id] = (await ocits.ok('ps', '-q', '--no-trunc')).split('\n');
    process.kill(
      Number(readFileSync(join(ocits.folder, 'root/containers', id!, 'conmon-pid'), 'utf8')),
      'SIGKILL',
    );
    expect(await ocits.ok('ps', '--format', '{{.State}}')).toBe('running\n');
    const waiting = ocits.ok('wait', 'unwatched');
    expect(await ocits.ok('stop', '-t', '0', 'unwatched')).toBe('unwatched\n');
    expect(await waiting).toMatch(/^(?:137|255)\n$/);
    expect(await ocits.ok('start', 'unwatched')).toBe('unwatched\n');
    expect(await ocits.ok('exec', 'unwatched', 'echo', 'again')).toBe('again\n');
    await ocits.ok('rm', '-f', 'unwatched');
  });
});
