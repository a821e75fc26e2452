import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cyclesOf, readSourceGraph, type SourceImport } from './support/program/source-graph.ts';

const SRC = join(import.meta.dirname, '../src');
const TEST = import.meta.dirname;

/** Who may import whom: docs/architecture.md, Folders. Everyone may import `errors`, `progress` and `oci`. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  oci: [],
  options: [],
  system: [],
  bundle: ['options'],
  dockerfile: ['options'],
  store: ['system'],
  layer: ['system'],
  registry: ['system'],
  network: ['options', 'system'],
  volume: ['options', 'system'],
  snapshotter: ['layer', 'system'],
  runtime: ['bundle', 'system'],
  image: ['engine.ts', 'options', 'store', 'layer', 'registry', 'snapshotter', 'system'],
  builder: [
    'engine.ts',
    'options',
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
    'engine.ts',
    'options',
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

const EVERYONE = new Set(['errors.ts', 'progress.ts', 'call.ts', 'access.ts', 'oci']);

const graph = readSourceGraph(SRC);
const { files, imports } = graph;

test('the folders import only those that the design allows', () => {
  expect(shown(imports.filter((each) => !allowed(each)))).toEqual([]);
});

test('every folder has its rule', () => {
  const folders = new Set(files.filter((file) => file.includes('/')).map(folderOf));
  expect([...folders].sort()).toEqual([...Object.keys(ALLOWED), 'cli', 'commands', 'library'].sort());
});

test('nothing imports commands but the table of commands', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      to.startsWith('commands/') && !from.startsWith('commands/') && from !== 'command-table.ts',
  );
  expect(shown(wrong)).toEqual([]);
});

test('no files import each other in a circle, not even for a type', () => {
  expect(cyclesOf(files, (file) => imports.filter(({ from }) => from === file).map(({ to }) => to))).toEqual(
    [],
  );
});

test('no rooms of one folder import each other in a circle', () => {
  const rooms = [...new Set(files.map(roomOf))];
  // The folder's own files are its front: its rooms may use the types there, and it uses the rooms.
  const between = imports.filter(
    ({ from, to }) => folderOf(from) === folderOf(to) && isRoom(from) && isRoom(to),
  );
  const next = (room: string) =>
    between
      .filter(({ from }) => roomOf(from) === room)
      .map(({ to }) => roomOf(to))
      .filter((to) => to !== room);
  expect(cyclesOf(rooms, next)).toEqual([]);
});

test('no folder has more than 20 files', () => {
  const all = [
    ...files.map((file) => `src/${file}`),
    ...readSourceGraph(TEST).files.map((file) => `test/${file}`),
  ];
  const counts = Map.groupBy(all, dirname);
  const full = [...counts].filter(([, inside]) => inside.length > 20).map(([folder]) => folder);
  expect(full).toEqual([]);
});

test('a file name says which file is meant', () => {
  // A command's file has the command's own name.
  const named = files.filter((file) => !file.startsWith('commands/'));
  const twice = [...Map.groupBy(named, (file) => basename(file))].filter(([, same]) => same.length > 1);
  expect(twice.map(([, same]) => same.join(' '))).toEqual([]);
});

test('an exported name has one meaning', () => {
  const named = graph.exports.filter(({ name }) => name !== 'default');
  const twice = [...Map.groupBy(named, ({ name }) => name)]
    .map(([name, where]) => `${name}: ${[...new Set(where.map(({ file }) => file))].join(' ')}`)
    .filter((line) => line.split(' ').length > 2);
  expect(twice).toEqual([]);
});

test('only src/cli and commands print', () => {
  const core = files.filter((file) => Object.hasOwn(ALLOWED, folderOf(file)));
  expect(
    core.filter((file) => /console\.|process\.(stdout|stderr)\.write|process\.exit\(/.test(read(file))),
  ).toEqual([]);
});

test('who runs the process is asked in one place', () => {
  const asking = files.filter((file) => /\bget(e?)uid\b[!?.(]/.test(read(file)));
  expect(asking).toEqual(['access.ts', 'snapshotter/folder-form/folder-form.ts']);
});

test('an optional member that is not there is undefined, not spread in', () => {
  const spreads = files.flatMap(
    (file) => read(file).match(/\.\.\.\([^()]* \? \{\}|\.\.\.\(.* === undefined\s/g) ?? [],
  );
  expect(spreads.length).toBeLessThan(20);
});

test('nothing is used that the oldest Node lacks', () => {
  expect(files.filter((file) => /\bnew (Async)?DisposableStack\b|\bPromise\.try\b/.test(read(file)))).toEqual(
    [],
  );
});

test('every folder says in its main file what it is for, with an example', () => {
  const folders = [...Map.groupBy(files, dirname)].filter(
    ([folder, inside]) => folder !== '.' && inside.length > 1,
  );
  const silent = folders.filter(([folder, inside]) => !inside.some((file) => hasPage(read(file), folder)));
  expect(silent.map(([folder]) => folder)).toEqual([]);
});

test('no file has more than 300 lines', () => {
  expect(files.filter((file) => read(file).split('\n').length > 301)).toEqual([]);
});

/**
 * Whether a comment of six lines or more, at the top or of an export, has an example: an indented line with a name that
 * the folder exports. Commands have no names for others, so that their example is a command line.
 */
function hasPage(text: string, folder: string): boolean {
  const exported = graph.exports.filter(({ file }) => dirname(file) === folder).map(({ name }) => name);
  const names = folderOf(folder) === 'commands' ? ['ocits'] : exported;
  const example = new RegExp(`^ \\* {5}.*\\b(${names.join('|')})\\b`, 'm');
  const comments = text.match(/^\/\*\*\n( \*.*\n)+? \*\/$/gm) ?? [];
  return comments.some((comment) => comment.split('\n').length >= 6 && example.test(comment));
}

function allowed({ from: file, to, typeOnly }: SourceImport): boolean {
  const from = folderOf(file);
  const target = folderOf(to);
  if (from === target || EVERYONE.has(target)) return true;
  // `cli` knows the grammar of options, and the domain by its types alone.
  if (from === 'cli') return target === 'options' || (typeOnly && target !== 'commands');
  return ALLOWED[from]?.includes(target) ?? true;
}

function folderOf(file: string): string {
  return file.split('/')[0]!;
}

function roomOf(file: string): string {
  return dirname(file);
}

/** Whether a file lies in a room of its folder, not in the folder itself. */
function isRoom(file: string): boolean {
  return file.split('/').length > 2;
}

function shown(wrong: readonly SourceImport[]): string[] {
  return wrong.map(({ from, to }) => `${from} -> ${to}`);
}

function read(file: string): string {
  return readFileSync(join(SRC, file), 'utf8');
}
