import { expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/auth-challenge.ts';

test.each([
  ['', []],
  ['Basic realm="a b"', [{ scheme: 'basic', params: { realm: 'a b' } }]],
  [
    'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        params: { realm: 'https://auth.example/token', service: 'reg', scope: 'repository:a/b:pull,push' },
      },
    ],
  ],
  [
    'Bearer realm="x" , service=y, Basic realm="z, w"',
    [
      { scheme: 'bearer', params: { realm: 'x', service: 'y' } },
      { scheme: 'basic', params: { realm: 'z, w' } },
    ],
  ],
  [
    'Negotiate, Basic REALM="q\\"uoted"',
    [
      { scheme: 'negotiate', params: {} },
      { scheme: 'basic', params: { realm: 'q"uoted' } },
    ],
  ],
  ['Bearer realm="unclosed', [{ scheme: 'bearer', params: { realm: '' } }]],
  ['Bearer   realm = "spaced"', [{ scheme: 'bearer', params: { realm: 'spaced' } }]],
])('%s', (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});

test('a long hostile header is read in no time', () => {
  const started = performance.now();
  parseChallenges(`Bearer ${'a="\\'.repeat(20_000)}`);
  parseChallenges(`${' ,'.repeat(50_000)}x`);
  expect(performance.now() - started).toBeLessThan(500);
});
