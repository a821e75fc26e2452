import { expect, test } from 'vitest';
import { parseVolumeFilter } from '../../src/container/record/volume-users.ts';
import { parseContainerFilter } from '../../src/container/show/filter-containers.ts';

const volume = { name: 'data', path: '/x', createdAt: new Date(0), anonymous: false, labels: { a: 'b' } };

test.each(['names', 'label', 'id', '=x', ''])('%j is no filter: it has no key that there is', (text) => {
  const invalid = expect.objectContaining({ code: 'invalid-argument' });
  expect(() => parseVolumeFilter(text)).toThrow(invalid);
  expect(() => parseContainerFilter(text)).toThrow(invalid);
});

test.each([
  ['label=a', true],
  ['label=a=b', true],
  ['label!=a', false],
  ['label!=a=c', true],
  ['name=at', true],
] as const)('volume filter %s', (text, passes) => {
  expect(parseVolumeFilter(text)(volume, false)).toBe(passes);
});
