import { expect, test } from 'vitest';
import { plainBuildRenderer } from '../../src/cli/render/build-plain.ts';
import { terminalBuildRenderer } from '../../src/cli/render/build-terminal.ts';
import { plainRenderer } from '../../src/cli/render/plain.ts';
import { terminalRenderer } from '../../src/cli/render/terminal.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { ProgressEvent } from '../../src/progress.ts';

class TestScreen {
  text = '';
  readonly isTerminal = true;
  readonly columns = 80;
  readonly rows = 40;
  readonly colours = false;
  write(text: string): void {
    this.text += text;
  }
}

const layer = (task: string, content: string, state: 'waiting' | 'unpacked'): ProgressEvent => ({
  task,
  type: 'layer',
  digest: digestOf(content),
  state,
});
const image = (task: string, state: 'pulling' | 'pulled', reference: string): ProgressEvent => ({
  task,
  type: 'image',
  state,
  reference,
});
const step = (task: string, id: string, label: string, state: 'started' | 'done'): ProgressEvent => ({
  task,
  type: 'step',
  id,
  label,
  state,
});

/** Two pulls whose events come in turn. They share a layer. */
const PULLS = [
  image('pull-a', 'pulling', 'node:22'),
  layer('pull-a', 'shared', 'waiting'),
  image('pull-b', 'pulling', 'redis:8'),
  layer('pull-b', 'shared', 'waiting'),
  layer('pull-a', 'shared', 'unpacked'),
  image('pull-a', 'pulled', 'node:22'),
  layer('pull-b', 'shared', 'unpacked'),
  image('pull-b', 'pulled', 'redis:8'),
];

test('lines of two pulls at once say which image they are about', () => {
  const screen = new TestScreen();
  const renderer = plainRenderer(screen);
  for (const event of PULLS) renderer.emit(event);
  const short = digestOf('shared').slice(7, 19);
  expect(screen.text.trimEnd().split('\n')).toEqual([
    'Pulling node:22',
    `${short}: Pulling fs layer`,
    'Pulling redis:8',
    `redis:8: ${short}: Pulling fs layer`,
    `node:22: ${short}: Pull complete`,
    'Status: Downloaded newer image for node:22',
    `${short}: Pull complete`,
    'Status: Downloaded newer image for redis:8',
  ]);
});

test('bars of two pulls at once are two groups, and end with their own image', () => {
  const screen = new TestScreen();
  const renderer = terminalRenderer(screen);
  for (const event of PULLS) renderer.emit(event);
  renderer.close();
  const lines = screen.text.split('\n').filter((line) => /Pull complete|Downloaded/.test(line));
  // Each image's last bars stand right above its own status.
  expect(lines.filter((line) => line.includes('Pull complete')).length).toBeGreaterThanOrEqual(2);
  expect(lines.at(-1)).toContain('redis:8');
  expect(lines.at(-2)).toContain('Pull complete');
});

/** Two builds whose event IDs differ, and whose labels do not. */
const BUILDS = [
  step('build-a', 'build-a.1', '[1/1] RUN make', 'started'),
  step('build-b', 'build-b.1', '[1/1] RUN make', 'started'),
  { task: 'build-a', type: 'output', stepId: 'build-a.1', stream: 'stdout', data: Buffer.from('of a\n') },
  { task: 'build-b', type: 'output', stepId: 'build-b.1', stream: 'stdout', data: Buffer.from('of b\n') },
  step('build-a', 'build-a.1', '[1/1] RUN make', 'done'),
  step('build-b', 'build-b.1', '[1/1] RUN make', 'done'),
] satisfies ProgressEvent[];

test('steps of two builds at once have numbers of their own, and name their build', () => {
  const screen = new TestScreen();
  const renderer = plainBuildRenderer(screen, () => 0);
  for (const event of BUILDS) renderer.emit(event);
  expect(screen.text.split('\n').filter((line) => line !== '')).toEqual([
    '#1 [1/1] RUN make',
    '#1 ...',
    '#2 build-b: [1/1] RUN make',
    '#2 ...',
    '#1 build-a: [1/1] RUN make',
    '#1 0.000 of a',
    '#1 ...',
    '#2 build-b: [1/1] RUN make',
    '#2 0.000 of b',
    '#2 ...',
    '#1 build-a: [1/1] RUN make',
    '#1 DONE 0.0s',
    '#2 build-b: [1/1] RUN make',
    '#2 DONE 0.0s',
  ]);
});

test('on a terminal each of two builds has its head, and its steps below it', () => {
  const screen = new TestScreen();
  const renderer = terminalBuildRenderer(screen);
  for (const event of BUILDS) renderer.emit(event);
  renderer.close();
  const last = screen.text
    .split('\n')
    .map((line) => line.replace(/\x1b\[\S*?[AKJ]/g, '').trim())
    .filter((line) => line !== '')
    .slice(-4);
  expect(last).toEqual([
    expect.stringMatching(/^\[\+\] Building build-a .*\(1\/1\) FINISHED$/),
    expect.stringContaining('=> [1/1] RUN make'),
    expect.stringMatching(/^\[\+\] Building build-b .*\(1\/1\) FINISHED$/),
    expect.stringContaining('=> [1/1] RUN make'),
  ]);
});
