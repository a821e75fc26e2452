import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contexts } from './contexts.ts';
import { type Command, runCommand } from './measure.ts';
import type { Tool } from './tools.ts';

/** What a scenario sees: the tool on its disk, and what is the same for all tools. */
export interface Round {
  readonly tool: Tool;
  /** On the tool's disk, for archives. */
  readonly folder: string;
  readonly contexts: Contexts;
  readonly number: number;
}

export interface Scenario {
  readonly name: string;
  /** The ratio to the best peer that is aimed at, in words. */
  readonly aim: string;
  /** Every round on a fresh disk, where the state itself is what is measured. */
  readonly cold?: boolean;
  /** Whether the tool has the words for it. */
  can(tool: Tool): boolean;
  /** Once a tool (each round where cold), without a clock. */
  prepare?(round: Round): Promise<void>;
  /** Before each round, without a clock. */
  before?(round: Round): Promise<void>;
  timed(round: Round): readonly Command[];
}

const always = () => true;
const runs = (tool: Tool) => tool.run !== undefined;
const builds = (tool: Tool) => tool.build !== undefined;
const saves = (tool: Tool) => tool.save !== undefined;

const pulled =
  (...images: string[]) =>
  async ({ tool }: Round) => {
    for (const image of images) await runCommand(tool.pull(image));
  };

const build =
  (context: keyof Contexts['folders'], cached: boolean, tag = `bench/${context}`) =>
  ({ tool, contexts }: Round): Command =>
    tool.build!({ tag, context: contexts.folders[context], cached });

const builtOnce = (base: string, context: keyof Contexts['folders']) => async (round: Round) => {
  await pulled(base)(round);
  await runCommand(build(context, true)(round));
};

const touch =
  (context: keyof Contexts['folders'], file: string) =>
  async ({ contexts, tool, number }: Round) => {
    writeFileSync(
      join(contexts.folders[context], file),
      `touched ${tool.name} ${number} ${process.hrtime.bigint()}\n`,
    );
  };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'pull, cold',
    aim: '0.4',
    cold: true,
    can: always,
    timed: ({ tool }) => [tool.pull('bench-large')],
  },
  {
    name: 'pull, 4 of 7 layers there',
    aim: '0.5',
    cold: true,
    can: always,
    prepare: pulled('bench-part'),
    timed: ({ tool }) => [tool.pull('bench-large')],
  },
  {
    name: 'pull, all there',
    aim: 'start-up + 1 round trip',
    can: always,
    prepare: pulled('bench-large'),
    timed: ({ tool }) => [tool.pull('bench-large')],
  },
  {
    name: 'run --rm busybox true, bridge',
    aim: '0.6',
    can: runs,
    prepare: pulled('busybox'),
    timed: ({ tool }) => [tool.run!(['--rm'], 'busybox', ['true'])],
  },
  {
    name: 'run --rm --network none busybox true',
    aim: '0.7',
    can: runs,
    prepare: pulled('busybox'),
    timed: ({ tool }) => [tool.run!(['--rm', '--network', 'none'], 'busybox', ['true'])],
  },
  {
    name: 'run that prints 200 MB into a pipe',
    aim: '0.4',
    can: runs,
    prepare: pulled('busybox'),
    timed: ({ tool }) => [
      tool.run!(['--rm', '--network', 'none'], 'busybox', [
        'sh',
        '-c',
        'yes 0123456789abcdef | head -c 200000000',
      ]),
    ],
  },
  {
    name: 'build, ten trivial RUN lines',
    aim: '0.25',
    can: builds,
    prepare: pulled('busybox'),
    timed: (round) => [build('runs', false)(round)],
  },
  {
    name: 'the same, all cached',
    aim: '1',
    can: builds,
    prepare: builtOnce('busybox', 'runs'),
    timed: (round) => [build('runs', true)(round)],
  },
  {
    name: 'build, COPY of 20,000 small files',
    aim: '0.4',
    can: builds,
    prepare: pulled('busybox'),
    timed: (round) => [build('files', false)(round)],
  },
  {
    name: 'the same, one file touched',
    aim: '0.4',
    can: builds,
    prepare: builtOnce('busybox', 'files'),
    before: touch('files', 'd0/f0'),
    timed: (round) => [build('files', true)(round)],
  },
  {
    name: 'the same, all cached',
    aim: '1',
    can: builds,
    prepare: builtOnce('busybox', 'files'),
    timed: (round) => [build('files', true)(round)],
  },
  {
    name: 'build on node, 52 files, no cache',
    aim: '1',
    can: builds,
    prepare: pulled('node'),
    timed: (round) => [build('app', false)(round)],
  },
  {
    name: 'the same, one file touched',
    aim: '2',
    can: builds,
    prepare: builtOnce('node', 'app'),
    before: touch('app', 'f0.js'),
    timed: (round) => [build('app', true)(round)],
  },
  {
    name: 'push, 100 MB new',
    aim: '0.7',
    can: builds,
    prepare: pulled('busybox'),
    before: async (round) => {
      await round.contexts.newBlob();
      await runCommand(build('blob', true)(round));
    },
    timed: ({ tool }) => [tool.push('bench/blob')],
  },
  {
    name: 'push, nothing new',
    aim: 'start-up + 1 round trip a blob',
    can: builds,
    prepare: async (round) => {
      await builtOnce('busybox', 'blob')(round);
      await runCommand(round.tool.push('bench/blob'));
    },
    timed: ({ tool }) => [tool.push('bench/blob')],
  },
  {
    name: 'save and load node',
    aim: '0.6',
    can: saves,
    prepare: pulled('node'),
    before: async ({ folder }) => rmSync(join(folder, 'saved.tar'), { force: true }),
    timed: ({ tool, folder }) => [
      tool.save!('node', join(folder, 'saved.tar')),
      tool.load!(join(folder, 'saved.tar')),
    ],
  },
];
