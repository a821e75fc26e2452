import { describe, expect, test } from 'vitest';
import {
  formatPlatform,
  hostPlatform,
  matchPlatforms,
  normalizePlatform,
  parsePlatform,
} from '../../src/oci/platform.ts';

test.each([
  ['linux/amd64', 'linux/amd64'],
  ['amd64', 'linux/amd64'],
  ['LINUX/X86_64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/arm/7', 'linux/arm/v7'],
  ['armhf', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/amd64/v1', 'linux/amd64'],
  ['linux/amd64/v3', 'linux/amd64/v3'],
  ['i386', 'linux/386'],
  ['ppc64el', 'linux/ppc64le'],
  ['windows/amd64', 'windows/amd64'],
])('%s is %s', (text, normal) => {
  expect(formatPlatform(parsePlatform(text))).toBe(normal);
});

test.each(['', '/', 'linux/', 'linux/amd64/', 'a/b/c/d', 'linux/am d64', '../x', 'linux/$(x)'])(
  '%j is none',
  (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  },
);

test.each([
  ['x64', 'linux/amd64'],
  ['arm64', 'linux/arm64'],
  ['arm', 'linux/arm/v7'],
  ['ia32', 'linux/386'],
  ['s390x', 'linux/s390x'],
])('Node’s %s is %s', (arch, normal) => {
  expect(formatPlatform(hostPlatform(arch))).toBe(normal);
});

test('os.version stays', () => {
  const platform = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' };
  expect(normalizePlatform(platform)).toEqual(platform);
});

describe('choosing from an index', () => {
  const choose = (offers: string[], wanted: string) =>
    matchPlatforms(
      offers.map((text) => ({ text, platform: parsePlatform(text) })),
      parsePlatform(wanted),
    ).map(({ text }) => text);

  test.each([
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], ['linux/amd64']],
    ['linux/amd64', ['linux/amd64/v2', 'linux/amd64/v3'], []],
    [
      'linux/amd64/v3',
      ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'],
      ['linux/amd64/v2', 'linux/amd64'],
    ],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], ['linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], ['linux/arm/v5']],
    ['linux/arm64', ['linux/arm64/v8', 'linux/arm64/v9'], ['linux/arm64/v8']],
    ['linux/amd64', ['windows/amd64'], []],
  ])('%s of %j', (wanted, offers, chosen) => {
    expect(choose(offers, wanted)).toEqual(chosen);
  });

  test('of equals the first; an entry without a platform never', () => {
    const entries = [
      { id: 1 },
      { id: 2, platform: parsePlatform('amd64') },
      { id: 3, platform: parsePlatform('amd64') },
    ];
    expect(matchPlatforms(entries, parsePlatform('amd64')).map(({ id }) => id)).toEqual([2, 3]);
  });
});

test('a name that every object has is no alias', () => {
  const { architecture } = normalizePlatform({ os: 'linux', architecture: 'constructor' });
  expect(architecture).toBe('constructor');
});
