import { expect, test, vi } from 'vitest';
import { runProgram } from '../../src/cli/main-program.ts';
import { MISSING_COMMANDS, MISSING_GLOBAL_FLAGS } from '../../src/cli/missing-commands.ts';
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
      helpText: async () => '',
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
  ['compose up -d', 'compose up'],
  ['compose -f x.yml up', 'compose'],
  ['compose frobnicate', 'compose'],
  ['buildx', 'buildx'],
  ['buildx ls', 'buildx ls'],
  ['buildx build -t x .', 'buildx build'],
  ['builder du', 'builder du'],
  ['buildx imagetools create x', 'buildx imagetools'],
  ['context use default', 'context use'],
  ['swarm init', 'swarm init'],
  ['bake', 'bake'],
  ['cp --help', 'cp'],
])('ocits %s is refused by name, with what to do instead', async (line, name) => {
  const { text, exitCode } = await run(...line.split(' '));
  expect(text).toBe(`ocits: ${name} is not there yet\nhint: ${MISSING_COMMANDS[name]}\n`);
  expect(exitCode).toBe(1);
});

/** Docker 29's commands, as its reference lists them, with the plugins that come with it. */
const DOCKER: Readonly<Record<string, string>> = {
  '': `attach bake build builder buildx checkpoint commit compose config container context cp create diff events exec
    export history image images import info inspect kill load login logout logs manifest network node pause plugin port
    ps pull push rename restart rm rmi run save search secret service stack start stats stop swarm system tag top trust
    unpause update version volume wait`,
  builder: `bake build create dial-stdio du history imagetools inspect ls prune rm stop use version`,
  buildx: `bake build create dial-stdio du history imagetools inspect ls prune rm stop use version`,
  checkpoint: 'create ls rm',
  compose: `attach bridge build commit config cp create down events exec export images kill logs ls pause port ps publish
    pull push restart rm run scale start stats stop top unpause up version volumes wait watch`,
  config: 'create inspect ls rm',
  container: `attach commit cp create diff exec export inspect kill logs ls pause port prune rename restart rm run start
    stats stop top unpause update wait`,
  context: 'create export import inspect ls rm show update use',
  image: 'build history import inspect load ls prune pull push rm save tag',
  manifest: 'annotate create inspect push rm',
  network: 'connect create disconnect inspect ls prune rm',
  node: 'demote inspect ls promote ps rm update',
  plugin: 'create disable enable inspect install ls push rm set upgrade',
  secret: 'create inspect ls rm',
  service: 'create inspect logs ls ps rm rollback scale update',
  stack: 'config deploy ls ps rm services',
  swarm: 'ca init join join-token leave unlock unlock-key update',
  system: 'df dial-stdio events info prune',
  trust: 'inspect key revoke sign signer',
  volume: 'create inspect ls prune rm update',
};

test.each(Object.entries(DOCKER))(
  'every command of Docker’s below %j is there, or named as one to come',
  (topic, text) => {
    const there = new Set(Object.keys(COMMANDS).flatMap((id) => [id.replace(':', ' '), id.split(':')[0]!]));
    const names = text.split(/\s+/).map((name) => `${topic} ${name}`.trimStart());
    expect(names.filter((name) => !there.has(name) && !Object.hasOwn(MISSING_COMMANDS, name))).toEqual([]);
  },
);

test.each([
  ['--host unix:///run/docker.sock ps', '--host'],
  ['-H=ssh://x ps', '-H'],
  ['--config=/x ps', '--config'],
  ['--context default ps', '--context'],
])('ocits %s is refused by the flag', async (line, name) => {
  const { text, exitCode } = await run(...line.split(' '));
  expect(text).toBe(`ocits: ${name} is not there yet\nhint: ${MISSING_GLOBAL_FLAGS[name]}\n`);
  expect(exitCode).toBe(125);
  expect((await run('--frobnicate', 'ps')).text).toMatch(/^ocits: unknown flag: --frobnicate/);
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
