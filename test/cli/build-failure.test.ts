import { expect, it } from 'vitest';
import { describeFailure } from '../../src/cli/output/build-failure.ts';

it('shows the last output and the lines at fault', () => {
  const excerpt = 'Dockerfile:2\n--------------------\n   2 | >>> RUN x\n--------------------';
  const text = describeFailure({
    stepLabel: '[2/2] RUN x',
    outputTail: 'one\n\x1b[31mtwo\x1b[0m\x07',
    excerpt,
  });
  expect(text).toBe(`------\n > [2/2] RUN x:\none\ntwo\n------\n${excerpt}\n`);
});

it('leaves out what there is not', () => {
  expect(describeFailure({ stepLabel: '[2/2] RUN x', outputTail: '', excerpt: 'here' })).toBe('here\n');
  expect(describeFailure({})).toBe('');
});
