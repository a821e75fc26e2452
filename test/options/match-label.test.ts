import { expect, test } from 'vitest';
import { matchesLabel } from '../../src/options/filters/match-label.ts';

test.each([
  ['tier', true],
  ['tier=db', true],
  ['tier=web', false],
  ['empty=', true],
  ['a=b=c', true],
  ['none', false],
  ['constructor', false],
])('the filter %s passes: %s', (filter, expected) => {
  expect(matchesLabel({ tier: 'db', empty: '', a: 'b=c' }, filter)).toBe(expected);
});
