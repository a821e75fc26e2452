import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';

const HOOK = join(import.meta.dirname, '../support/program/kill-at.mjs');
const MAIN = join(import.meta.dirname, '../../src/main.ts');
let ocits: CommandLine;

beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
  await ocits.ok('pull', '-q', 'busybox');
});

afterAll(async () => await ocits[Symbol.asyncDispose]());

/** Runs a command, killed at its k-th change of the file system; 0: not at all. How many there were, or undefined. */
function killedAt(k: number, args: readonly string[]): number | undefined {
  const env = { ...ocits.env, OCITS_TEST_KILL_AT: `${k}` };
  const words = ['--import', HOOK, MAIN, ...args];
  const { signal, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  if (k > 0) expect({ k, args, signal, stderr }).toMatchObject({ signal: 'SIGKILL' });
  return k > 0 ? undefined : Number(/changes: (\d+)/.exec(stderr)?.[1]);
}

const below = (name: string): string[] => {
  const folder = join(ocits.folder, name);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};

/** What there is of containers and their volumes. */
const traces = () => ({
  containers: below('root/containers').filter((name) => name !== 'by-name'),
  names: below('root/containers/by-name'),
  volumes: below('root/volumes'),
  crun: below('run/crun'),
  exits: below('run/exits'),
  marks: below('run/live').filter((name) => name !== 'complete'),
});
const NO_TRACES = { containers: [], names: [], volumes: [], crun: [], exits: [], marks: [] };

const VOLUME = ['--name', 'doomed', '--network', 'none', '-v', '/data', 'busybox', 'sleep', '600'];

/** Kills the removal of a new container at the k-th change, and lets the next command look. Whether it is gone then. */
async function isGoneAfter(k: number, make: readonly string[], remove: readonly string[]): Promise<boolean> {
  await ocits.ok(...make);
  killedAt(k, remove);
  return (await ocits.ok('ps', '-aq')) === '';
}

test('rm -v, killed at each of its changes: the next command ends it, or it is done again', async () => {
  const [make, remove] = [
    ['create', ...VOLUME],
    ['rm', '-v', 'doomed'],
  ];
  await ocits.ok(...make);
  const count = killedAt(0, remove)!;
  expect(traces()).toEqual(NO_TRACES);
  let ended = 0;
  for (let k = 1; k <= count; k++) {
    if (await isGoneAfter(k, make, remove)) ended++;
    else await ocits.ok(...remove);
    expect({ k, ...traces() }).toEqual({ k, ...NO_TRACES });
  }
  // At the least: the folder out of sight, its tree, its name, its volume.
  expect(ended).toBeGreaterThan(3);
}, 600_000);

test('rm -f -v of one that runs, killed here and there, leaves nothing', async () => {
  const [make, remove] = [
    ['run', '-d', ...VOLUME],
    ['rm', '-f', '-v', 'doomed'],
  ];
  await ocits.ok(...make);
  const count = killedAt(0, remove)!;
  for (let k = 1; k <= count; k += Math.ceil(count / 6)) {
    if (!(await isGoneAfter(k, make, remove))) await ocits.ok(...remove);
    expect({ k, ...traces() }).toEqual({ k, ...NO_TRACES });
  }
}, 600_000);

test('rm without -v, killed at its last changes, keeps the volume', async () => {
  const [make, remove] = [
    ['create', ...VOLUME],
    ['rm', 'doomed'],
  ];
  await ocits.ok(...make);
  const count = killedAt(0, remove)!;
  let kept = 1;
  for (let k = count - 4; k <= count; k++) {
    if (await isGoneAfter(k, make, remove)) kept++;
    else await ocits.ok('rm', '-v', 'doomed');
    const { volumes, ...rest } = traces();
    expect({ k, volumes: volumes.length, ...rest }).toMatchObject({
      k,
      volumes: kept,
      names: [],
      containers: [],
    });
  }
  expect(kept).toBeGreaterThan(2);
  await ocits.ok('volume', 'rm', ...traces().volumes);
}, 600_000);

test.each(['docker-archive', 'oci-dir'])(
  'save -o (%s), killed at each of its changes, leaves nothing beside the file that the next command does not find',
  async (format) => {
    const folder = join(ocits.folder, `saved-${format}`);
    await mkdir(folder);
    writeFileSync(join(folder, '.tmp-1-mine'), 'of somebody else');
    const output = join(folder, 'out');
    const args = ['save', '--format', format, '-o', output, 'busybox'];
    const count = killedAt(0, args)!;
    const whole = format === 'oci-dir' ? readdirSync(output) : readFileSync(output);
    for (let k = 1; k <= count; k++) {
      rmSync(output, { recursive: true, force: true });
      killedAt(k, args);
      await ocits.ok('images');
      const names = readdirSync(folder, { recursive: true }).map(String);
      expect({ k, left: names.filter((name) => name.includes('.tmp-')) }).toEqual({
        k,
        left: ['.tmp-1-mine'],
      });
      expect(below('root/partial').filter((name) => name.startsWith('.tmp-'))).toEqual([]);
    }
    await ocits.ok(...args);
    expect(format === 'oci-dir' ? readdirSync(output) : readFileSync(output)).toEqual(whole);
  },
  600_000,
);
