import { expect, test } from 'vitest';
import { parseLoginServer } from '../../src/registry/auth/login-server.ts';

test.each([
  [undefined, 'docker.io'],
  ['docker.io', 'docker.io'],
  ['https://index.docker.io/v1/', 'docker.io'],
  ['registry-1.docker.io', 'docker.io'],
  ['localhost:5000', 'localhost:5000'],
  ['https://registry.example/', 'registry.example'],
  ['http://registry.example:5000/v2/', 'registry.example:5000'],
  ['[::1]:5000', '[::1]:5000'],
])('%s is %s', (text, registry) => {
  expect(parseLoginServer(text)).toBe(registry);
});

test.each(['', 'a b', 'a.com/namespace', 'https://', 'ftp://a.com', 'a.com?x', 'user@a.com'])(
  '%j is none',
  (text) => {
    expect(() => parseLoginServer(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  },
);
