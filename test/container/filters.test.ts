import { describe, expect, test } from 'vitest';
import { parsePruneFilter } from '../../src/container/end/prune-filter.ts';
import type { ContainerRecord } from '../../src/container/record/record.ts';
import type { ContainerState } from '../../src/container/record/state.ts';
import { parseVolumeFilters, parseVolumePruneFilters } from '../../src/container/record/volume-users.ts';
import { parseContainerFilters } from '../../src/container/show/container-filters.ts';
import { matchesFilters } from '../../src/container/show/filter-containers.ts';
import type { Digest } from '../../src/oci/digest.ts';

const invalid = expect.objectContaining({ code: 'invalid-argument' });
const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;

const record = {
  id: `abc${'0'.repeat(61)}`,
  name: 'v1a',
  createdAt: '2026-01-02T00:00:00Z',
  image: { id: digest('1'), name: 'app', diffIds: [digest('a'), digest('b')] },
  labels: { tier: 'db', empty: '' },
  network: {
    endpoints: [{ network: 'bridge', aliases: [] }],
    ports: [{ hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    exposed: ['80/tcp', '53/udp', '9000/tcp'],
  },
  mounts: [
    { kind: 'bind', source: '/srv/data', target: '/data', readOnly: false },
    { kind: 'volume', name: 'vol', source: '/x', target: '/vol', readOnly: false, anonymous: false },
    { kind: 'tmpfs', target: '/tmp', options: [] },
  ],
} as unknown as ContainerRecord;
const older = { ...record, id: `abd${'0'.repeat(61)}`, name: 'older', createdAt: '2026-01-01T00:00:00Z' };
const younger = { ...record, id: `fff${'0'.repeat(61)}`, name: 'younger', createdAt: '2026-01-03T00:00:00Z' };
const exited: ContainerState = { status: 'exited', pid: 0, exitCode: 3, oomKilled: false };
const others = [record, older, younger];

function passes(
  texts: readonly string[],
  parts: { state?: ContainerState; ancestors?: Digest[][] } = {},
): boolean {
  const ancestors = (parts.ancestors ?? []).map((diffIds) => ({ id: digest('2'), diffIds }));
  return matchesFilters(parseContainerFilters(texts), record, parts.state ?? exited, { others, ancestors });
}

describe('ps', () => {
  test.each([
    [[], true],
    [[''], true],
    [['name=v1a'], true],
    [['name=1'], true],
    [['name=^v.a$'], true],
    [['name=^/v.a$'], true],
    [['name=^1'], false],
    [['name=(?i)V1A'], true],
    [['name=V1A'], false],
    [['name=nosuch', 'name=v1'], true],
    [['name='], true],
    [['name=['], false],
    [['id=abc'], true],
    [['id=bc'], false],
    [['id='], false],
    [['status=exited'], true],
    [['status=running'], false],
    [['status=running', 'status=exited'], true],
    [['exited=3'], true],
    [['exited=0', 'exited=3'], true],
    [['exited=0'], false],
    [['health=none'], true],
    [['health=healthy'], false],
    [['is-task=false'], true],
    [['is-task=true'], false],
    [['isolation=default'], true],
    [['label=tier'], true],
    [['label=tier=db'], true],
    [['label=tier=web'], false],
    [['label=tier', 'label=empty='], true],
    [['label=tier', 'label=nosuch'], false],
    [['label='], false],
    [['network=bridge'], true],
    [['network=host', 'network=bridge'], true],
    [['network=bri'], false],
    [['volume=vol'], true],
    [['volume=/vol'], true],
    [['volume=/srv/data'], true],
    [['volume=/data'], true],
    [['volume=/srv'], false],
    [['volume='], false],
    // Ports are the container's, not the host's.
    [['publish=80'], true],
    [['publish=80/tcp'], true],
    [['publish=8080'], false],
    [['publish=80/udp'], false],
    [['publish=75-85'], true],
    [['expose=53/udp'], true],
    [['expose=8000-9000/tcp'], true],
    [['expose=53'], false],
    [['publish=9000'], false],
    [['publish=1', 'expose=9000'], true],
    [['before=younger'], true],
    [['before=older'], false],
    [['since=older'], true],
    [['since=abd'], true],
    [['since=/younger'], false],
    [['name=v1a', 'status=running'], false],
    [['NAME = v1a '], true],
  ] as const)('%j: %s', (texts, expected) => {
    expect(passes(texts)).toBe(expected);
  });

  test('an image is an ancestor where it is the container’s, or all its layers are below', () => {
    expect(passes(['ancestor=x'], { ancestors: [[digest('a')]] })).toBe(true);
    expect(passes(['ancestor=x'], { ancestors: [[digest('b')]] })).toBe(false);
    expect(passes(['ancestor=x'], { ancestors: [[digest('a'), digest('b'), digest('c')]] })).toBe(false);
    expect(passes(['ancestor=x'], { ancestors: [[]] })).toBe(false);
    expect(passes(['ancestor=x'])).toBe(false);
  });

  test('a container runs and has no exit code', () => {
    const state: ContainerState = { status: 'running', pid: 1, exitCode: 0, oomKilled: false };
    expect(passes(['exited=0'], { state })).toBe(false);
  });

  test.each([
    ...['names=a', 'label', '=x', 'label!=a', 'status=bogus', 'status=', 'health=ill', 'exited=x', 'exited='],
    ...['is-task=maybe', 'publish=127.0.0.1:80', 'publish=x', 'publish=', 'expose=80/icmp', 'expose=9-8'],
  ])('%j is refused', (text) => {
    expect(() => parseContainerFilters([text])).toThrow(invalid);
  });

  test('a container in before or since that is not there is an error', () => {
    for (const text of ['before=nosuch', 'since=nosuch', 'since='])
      expect(() => passes([text])).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});

describe('container prune', () => {
  const now = new Date('2026-01-02T12:00:00Z');
  test.each([
    [[], true],
    [['until=10h'], true],
    [['until=24h'], false],
    [['label=tier'], true],
    [['label=tier', 'label=nosuch'], false],
    [['label!=tier'], false],
    [['label!=nosuch'], true],
    // Docker keeps what has all of them.
    [['label!=tier', 'label!=nosuch'], true],
    [['label!=tier', 'label!=empty'], false],
    [[''], true],
  ] as const)('%j: %s', (texts, expected) => {
    expect(parsePruneFilter(texts, now)(record)).toBe(expected);
  });

  test.each([['until=soon'], ['until=1h', 'until=2h'], ['name=x'], ['status=exited']])(
    '%j is refused',
    (...texts) => {
      expect(() => parsePruneFilter(texts)).toThrow(invalid);
    },
  );
});

describe('volumes', () => {
  const volume = { name: 'data1', path: '/x', createdAt: new Date(0), anonymous: false, labels: { a: 'b' } };

  test.each([
    [['label=a'], true],
    [['label=a=b'], true],
    [['label=a=c'], false],
    [['label=a', 'label=c'], false],
    [['name=ata'], true],
    [['name=^data\\d$'], true],
    [['name=x', 'name=data'], true],
    [['name=x'], false],
    [['driver=local'], true],
    [['driver=nfs', 'driver=local'], true],
    [['driver=nfs'], false],
    [['dangling=true'], true],
    [['dangling=0'], false],
    [['dangling=true', 'dangling=1'], true],
    [[''], true],
  ] as const)('ls %j: %s', (texts, expected) => {
    expect(parseVolumeFilters(texts)(volume, false)).toBe(expected);
    if (texts[0].startsWith('dangling')) expect(parseVolumeFilters(texts)(volume, true)).toBe(!expected);
  });

  test.each([
    ['names=a'],
    ['label'],
    ['id=x'],
    ['label!=a'],
    ['dangling=maybe'],
    ['dangling='],
    ['dangling=true', 'dangling=false'],
  ])('ls %j is refused', (...texts) => {
    expect(() => parseVolumeFilters(texts)).toThrow(invalid);
  });

  test('prune', () => {
    const { isAll, filter } = parseVolumePruneFilters(['all=1', 'label!=c']);
    expect([isAll, filter(volume, false)]).toEqual([true, true]);
    expect(parseVolumePruneFilters(['label!=a']).filter(volume, false)).toBe(false);
    expect(parseVolumePruneFilters([]).isAll).toBe(false);
    for (const wrong of ['name=data', 'dangling=true', 'all=maybe', 'until=1h'])
      expect(() => parseVolumePruneFilters([wrong])).toThrow(invalid);
  });
});
