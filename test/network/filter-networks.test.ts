import { expect, test } from 'vitest';
import { parseNetworkFilters, parseNetworkPruneFilters } from '../../src/network/store/filter-networks.ts';
import { openNetworkStore } from '../../src/network/store/network-store.ts';

const all = await openNetworkStore().list();

test.each([
  [[], 'bridge host none'],
  [[''], 'bridge host none'],
  [['name=host'], 'host'],
  [['name=^.o[ns]'], 'host none'],
  [['name=host', 'name=none'], 'host none'],
  [['name='], 'bridge host none'],
  [['id=bridge'], 'bridge'],
  [['driver=null'], 'none'],
  [['driver=nul'], ''],
  [['driver=host', 'driver=bridge'], 'bridge host'],
  [['scope=local'], 'bridge host none'],
  [['scope=swarm'], ''],
  [['type=builtin'], 'bridge host none'],
  [['type=custom'], ''],
  [['dangling=true'], ''],
  [['dangling=false'], 'bridge host none'],
  [['label=a'], ''],
  [['name=host', 'driver=null'], ''],
] as const)('network ls %j: %s', (texts, expected) => {
  const passes = parseNetworkFilters(texts);
  expect(
    all
      .filter(passes)
      .map(({ name }) => name)
      .join(' '),
  ).toBe(expected);
});

test.each(['type=bogus', 'dangling=maybe', 'bogus=1', 'name', 'until=1h'])(
  'network ls %j is refused',
  (text) => {
    expect(() => parseNetworkFilters([text])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  },
);

test('bridges have no labels, and were there before any time', () => {
  expect(parseNetworkPruneFilters([])).toBe(true);
  expect(parseNetworkPruneFilters(['until=24h'])).toBe(true);
  expect(parseNetworkPruneFilters(['label=a'])).toBe(false);
  expect(parseNetworkPruneFilters(['label!=a'])).toBe(true);
  for (const wrong of ['until=soon', 'name=bridge'])
    expect(() => parseNetworkPruneFilters([wrong])).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
});
