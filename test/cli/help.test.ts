import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandHelp, overviewHelp } from '../../src/cli/help.ts';
import { COMMANDS } from '../../src/command-table.ts';

interface Statics {
  readonly summary?: string;
  readonly usage?: string;
  readonly hidden?: boolean;
  readonly flags?: Record<string, { readonly description?: string; readonly hidden?: boolean }>;
}

const loaded = await Promise.all(
  Object.entries(COMMANDS).map(async ([id, load]) => ({ id, command: (await load()).default as Statics })),
);

test('every command says what it does and how it is called', () => {
  const silent = loaded
    .filter(({ command }) => !command.summary || command.usage === undefined)
    .map(({ id }) => id);
  expect(silent).toEqual([]);
});

test('every flag that is shown has a description', () => {
  const silent = loaded.flatMap(({ id, command }) =>
    Object.entries(command.flags ?? {})
      .filter(([, flag]) => !flag.hidden && !flag.description)
      .map(([name]) => `${id} --${name}`),
  );
  expect(silent).toEqual([]);
});

test('every command file can be reached by a name', async () => {
  const folder = join(import.meta.dirname, '../../src/commands');
  const reached = new Set(loaded.map(({ command }) => command));
  for (const file of globSync('**/*.ts', { cwd: folder })) {
    const module = (await import(join(folder, file))) as { default?: Statics };
    if (module.default !== undefined) expect(reached, file).toContain(module.default);
  }
});

test('help has usage, summary and options in Docker’s layout', () => {
  const flags = { all: { name: 'all', char: 'a', type: 'boolean' as const, description: 'show all' } };
  expect(commandHelp({ id: 'image:ls', summary: 'List images', usage: '[OPTIONS]', flags })).toBe(
    'Usage:  ocits image ls [OPTIONS]\n\nList images\n\nOptions:\n  -a, --all   show all\n',
  );
});

test('the overview tells everyday commands from topics', () => {
  const text = overviewHelp(
    [
      { id: 'pull', summary: 'Download' },
      { id: 'image:ls', summary: 'List' },
    ],
    undefined,
  );
  expect(text).toContain('Commands:\n  pull   Download');
  expect(text).toContain('Management Commands:\n  image   Manage images');
  expect(overviewHelp([{ id: 'image:ls', summary: 'List' }], 'image')).toContain('ocits image COMMAND');
});
