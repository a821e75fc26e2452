import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Config } from '@oclif/core/config';
import { build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaveOutUnused } from '../../scripts/bundle-plugins.ts';
import { LEFT_OUT_OF_OCLIF } from '../../src/cli/oclif/left-out.ts';
import { oclifConfig } from '../../src/cli/oclif/oclif-config.ts';
import { readFlags } from '../support/program/flag-command.ts';

const ROOT = join(import.meta.dirname, '../..');
const LIB = 'node_modules/@oclif/core/lib/';

/** What oclif loads for a command and its flags, once the rest is left out: start-up pays for each. */
const BUNDLED = [
  ...['cache', 'command', 'config/util'],
  ...['errors/error', 'errors/errors/cli', 'errors/errors/exit', 'errors/errors/module-load'],
  ...['errors/errors/pretty-print', 'errors/exit', 'errors/handle', 'errors/index', 'errors/warn'],
  ...['flags', 'help/util', 'logger'],
  ...['parser/errors', 'parser/help', 'parser/index', 'parser/parse', 'parser/validate'],
  ...['settings', 'util/aggregate-flags', 'util/ids', 'util/util', 'ux/write'],
];
/** What oclif asks a Config for and takes none for an answer. */
const ABSENT: readonly PropertyKey[] = ['scopedEnvVarKeys', 'topicSeparator'];

let folder: string;
let inputs: Metafile['inputs'];
let bundled: typeof readFlags;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-oclif-'));
  const outfile = join(folder, 'bundle.cjs');
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['test/support/program/flag-command.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    plugins: [leaveOutUnused],
    metafile: true,
  });
  inputs = metafile.inputs;
  ({ readFlags: bundled } = await import(pathToFileURL(outfile).href));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('the bundle has these files of oclif, and no others', () => {
  const files = Object.keys(inputs).filter((path) => path.startsWith(LIB));
  expect(files.map((path) => path.slice(LIB.length, -'.js'.length)).sort()).toEqual(BUNDLED);
});

test.each(LEFT_OUT_OF_OCLIF)('what %s loads of %s is there to be left out', (importer, path) => {
  const left = Object.entries(inputs).flatMap(([from, { imports }]) =>
    imports
      .filter((each) => each.path.startsWith('unused:'))
      .map(({ original = '' }) => ({ from, original })),
  );
  expect(left.filter(({ from, original }) => importer.test(`/${from}`) && path.test(original))).not.toEqual(
    [],
  );
});

test.each([
  [[]],
  [['--name', 'a', '-e', 'A=1', '-e', 'B=2', 'x', 'y']],
  [['-re', 'A=1', '--rm=false', '--truncate=false']],
  [['--pull', 'always', '--parsed=abc']],
  [['--pull', 'sometimes']],
  [['--here', 'x', '--name', 'y']],
  [['--with', 'x']],
  [['--nosuch']],
  [['x', 'y', 'z']],
])('%j is read in the bundle as all of oclif reads it, with nothing of its Config but ours', async (argv) => {
  const ours = oclifConfig('1.2.3');
  const touched = new Set<PropertyKey>();
  const config = new Proxy(ours, {
    get: (target, key) => {
      touched.add(key);
      return Reflect.get(target, key);
    },
  });
  const whole = await readFlags(argv, await Config.load(ROOT));
  expect(await readFlags(argv, config)).toEqual(whole);
  expect(await bundled(argv, config)).toEqual(whole);
  expect([...touched].filter((key) => !(key in ours)).sort()).toEqual(ABSENT);
});

test('what stands in for Config has members that it has', async () => {
  const real = await Config.load(ROOT);
  expect(Object.keys(oclifConfig('1.2.3')).filter((key) => !(key in real))).toEqual([]);
});
