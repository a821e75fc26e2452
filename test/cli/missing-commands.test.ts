import { expect, test, vi } from 'vitest';
import { runProgram } from '../../src/cli/main-program.ts';
import { MISSING_COMMANDS } from '../../src/cli/missing-commands.ts';
import { COMMANDS } from '../../src/command-table.ts';
import { openEngine } from '../../src/open-engine.ts';

async function run(...argv: string[]) {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const { exitCode } = process;
  try {
    await runProgram(argv, {
      version: '0',
      commands: COMMANDS,
      complete: async () => {},
      showHelp: async () => {},
      openEngine: () => openEngine(),
    });
    return { text: write.mock.calls.map(([text]) => String(text)).join(''), exitCode: process.exitCode };
  } finally {
    write.mockRestore();
    process.exitCode = exitCode;
  }
}

test.each([
  ['attach web', 'attach'],
  ['container attach web', 'container attach'],
  ['network create mine', 'network create'],
  ['compose up -d', 'compose'],
  ['buildx ls', 'buildx'],
  ['swarm init', 'swarm'],
  ['cp --help', 'cp'],
])('ocits %s is refused by name, with what to do instead', async (line, name) => {
  const { text, exitCode } = await run(...line.split(' '));
  expect(text).toBe(`ocits: ${name} is not there yet\nhint: ${MISSING_COMMANDS[name]}\n`);
  expect(exitCode).toBe(1);
});

test('what nobody knows is still no command', async () => {
  expect((await run('container', 'frobnicate')).text).toMatch(/^ocits: 'container frobnicate' is not/);
  expect((await run('toString')).text).toMatch(/^ocits: 'toString' is not an ocits command/);
});

test('no command is both there and not', () => {
  const there = Object.keys(COMMANDS).map((id) => id.replace(':', ' '));
  expect(there.filter((name) => Object.hasOwn(MISSING_COMMANDS, name))).toEqual([]);
  const topics = new Set(there.filter((name) => name.includes(' ')).map((name) => name.split(' ')[0]!));
  expect([...topics].filter((name) => Object.hasOwn(MISSING_COMMANDS, name))).toEqual([]);
  expect(Object.values(MISSING_COMMANDS).filter((hint) => hint === '')).toEqual([]);
});
