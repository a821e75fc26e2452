import { describe, expect, test } from 'vitest';

const NOTHING: readonly string[] = [];

const WAYS: readonly (readonly [string, () => unknown])[] = [
  ['test.each', () => test.each(NOTHING)],
  ['test.for', () => test.for(NOTHING)],
  ['test.concurrent.each', () => test.concurrent.each(NOTHING)],
  ['test.runIf(…).each', () => test.runIf(true).each(NOTHING)],
  ['describe.each', () => describe.each(NOTHING)],
  ['describe.for', () => describe.for(NOTHING)],
];

test.each(WAYS)('%s without a case fails the run', (_, make) => {
  expect(make).toThrow('no case');
});
