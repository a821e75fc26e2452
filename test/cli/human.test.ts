import { expect, test } from 'vitest';
import { humanAge, humanDuration, humanSize } from '../../src/cli/output/human.ts';

test.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1kB'],
  [1_093_484_000, '1.09GB'],
  [4_270_000, '4.27MB'],
  [123_456, '123kB'],
])('%d bytes', (bytes, expected) => {
  expect(humanSize(bytes)).toBe(expected);
});

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
test.each([
  [300, 'Less than a second'],
  [1000, '1 second'],
  [59_000, '59 seconds'],
  [MINUTE, 'About a minute'],
  [59 * MINUTE, '59 minutes'],
  [61 * MINUTE, 'About an hour'],
  [47 * 60 * MINUTE, '47 hours'],
  [3 * DAY, '3 days'],
  [20 * DAY, '2 weeks'],
  [100 * DAY, '3 months'],
  [800 * DAY, '2 years'],
])('%d ms', (milliseconds, expected) => {
  expect(humanDuration(milliseconds)).toBe(expected);
});

test('a time that is not set has no age', () => {
  expect(humanAge(new Date(Number.NaN))).toBe('N/A');
});
