import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../src');

/** Who may import whom: docs/architecture.md, Folders. Everyone may import `errors`, `progress` and `oci`. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  oci: [],
  system: [],
  bundle: [],
  dockerfile: [],
  store: ['system'],
  layer: ['system'],
  registry: ['system'],
  network: ['system'],
  volume: ['system'],
  snapshotter: ['layer', 'system'],
  runtime: ['bundle', 'system'],
  image: ['store', 'layer', 'registry', 'snapshotter', 'system'],
  builder: [
    'dockerfile',
    'image',
    'store',
    'layer',
    'snapshotter',
    'runtime',
    'network',
    'system',
    'bundle',
    'registry',
  ],
  container: [
    'image',
    'store',
    'snapshotter',
    'runtime',
    'network',
    'volume',
    'system',
    'bundle',
    'registry',
  ],
};

const EVERYONE = new Set(['errors.ts', 'progress.ts', 'oci']);
const IMPORT =
  /^\s*(import|export)\s+(type\s+)?(?:[\w*{}\s,]+\s+from\s+)?'(\.[^']+)'|(?:await\s+)?import\('(\.[^']+)'\)/gm;

const files = globSync('**/*.ts', { cwd: SRC }).sort();

test('the folders import only those that the design allows', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter(({ to, typeOnly }) => !allowed(file, to, typeOnly))
      .map(({ to }) => `${file} -> ${to}`),
  );
  expect(wrong).toEqual([]);
});

test('every folder has its rule', () => {
  const folders = new Set(files.filter((file) => file.includes('/')).map(folderOf));
  expect([...folders].sort()).toEqual([...Object.keys(ALLOWED), 'cli', 'commands', 'library'].sort());
});

test('nothing imports commands but the table of commands', () => {
  const wrong = files.filter((file) => !file.startsWith('commands/') && file !== 'command-table.ts');
  expect(wrong.filter((file) => importsOf(file).some(({ to }) => to.startsWith('commands/')))).toEqual([]);
});

test('only src/cli and commands print', () => {
  const core = files.filter((file) => Object.hasOwn(ALLOWED, folderOf(file)));
  expect(
    core.filter((file) => /console\.|process\.(stdout|stderr)\.write|process\.exit\(/.test(read(file))),
  ).toEqual([]);
});

test('nothing is used that the oldest Node lacks', () => {
  expect(files.filter((file) => /\bnew (Async)?DisposableStack\b|\bPromise\.try\b/.test(read(file)))).toEqual(
    [],
  );
});

test('no file has more than 300 lines', () => {
  expect(files.filter((file) => read(file).split('\n').length > 301)).toEqual([]);
});

function allowed(file: string, to: string, typeOnly: boolean): boolean {
  const from = folderOf(file);
  const target = folderOf(to);
  if (from === target || EVERYONE.has(target)) return true;
  // `cli` knows the domain by its types alone.
  if (from === 'cli') return typeOnly && target !== 'commands';
  return ALLOWED[from]?.includes(target) ?? true;
}

function importsOf(file: string): { readonly to: string; readonly typeOnly: boolean }[] {
  return [...read(file).matchAll(IMPORT)].map(([, , type, path, dynamic]) => ({
    to: relative(SRC, join(SRC, dirname(file), path ?? dynamic!)),
    typeOnly: type !== undefined,
  }));
}

function folderOf(file: string): string {
  return file.split('/')[0]!;
}

function read(file: string): string {
  return readFileSync(join(SRC, file), 'utf8');
}
