import { expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/auth/challenge.ts';
import { growth, LINEAR } from '../support/program/growth.ts';

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

test.each<[string, (size: number) => string]>([
  ['escapes', (size) => `Bearer ${'a="\\'.repeat(size)}`],
  ['commas', (size) => `${' ,'.repeat(size)}x`],
])('a long hostile header of %s is read in no time', (_what, header) => {
  expect(growth(header, 3000, parseChallenges)).toBeLessThan(LINEAR);
});
