import { expect, test } from 'vitest';
import { buildImage } from '../../src/builder/build.ts';
import { openCall } from '../../src/call.ts';
import { plainBuildRenderer } from '../../src/cli/render/build-plain.ts';
import { buildHost } from '../support/builder/build-host.ts';

test('two builds at once in one process share an engine, and are shown apart', async () => {
  await using made = await buildHost();
  let text = '';
  const renderer = plainBuildRenderer({
    write: (more) => {
      text += more;
    },
    isTerminal: false,
    columns: 80,
    colours: false,
  });
  const build = async (word: string) => {
    const call = openCall('build', { emit: renderer.emit });
    const request = made.request(`FROM busybox\nRUN echo "says ${word}" && echo ${word} > /file\n`);
    const image = await buildImage(made.engine, call, request);
    return { task: call.task, id: image.id };
  };
  const [first, second] = await Promise.all([build('first'), build('second')]);
  expect(first.id).not.toBe(second.id);
  for (const [word, { task }] of [
    ['first', first],
    ['second', second],
  ] as const) {
    const number = new RegExp(`^#(\\d+) [\\d.]+ says ${word}$`, 'm').exec(text)?.[1];
    // The number of the step that printed it stands for that build's step alone.
    const labels = [...text.matchAll(new RegExp(`^#${number} (.*)\\[\\d/\\d\\] RUN (.*)$`, 'gm'))];
    expect(labels.length).toBeGreaterThan(0);
    for (const [, prefix, command] of labels) {
      expect(command).toContain(word);
      if (prefix !== '') expect(prefix).toBe(`${task}: `);
    }
  }
});
