import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { chainIds } from '../../src/oci/chain-id.ts';
import {
  digestAlgorithm,
  digestHex,
  digestOf,
  finishDigest,
  isDigest,
  parseDigest,
  shortDigest,
} from '../../src/oci/digest.ts';

const HEX = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('the digest of "abc" (FIPS 180-2)', () => {
  expect(digestOf('abc')).toBe(`sha256:${HEX}`);
  expect(digestOf(Buffer.from('abc'))).toBe(`sha256:${HEX}`);
  expect(shortDigest(digestOf('abc'))).toBe('ba7816bf8f01');
});

test('sha512, too', () => {
  const digest = finishDigest('sha512', createHash('sha512').update('abc'));
  expect(parseDigest(digest)).toBe(digest);
  expect(digestAlgorithm(digest)).toBe('sha512');
  expect(digestHex(digest)).toHaveLength(128);
});

test.each([
  '',
  'sha256',
  HEX,
  `sha256:${HEX.toUpperCase()}`,
  `sha256:${HEX.slice(1)}`,
  `sha256:${HEX}0`,
  `sha256:${HEX.slice(1)}g`,
  `sha256:../../../../etc/passwd${'0'.repeat(42)}`,
  `sha256:${HEX}\n`,
  ` sha256:${HEX}`,
  `SHA256:${HEX}`,
  `sha512:${HEX}`,
  `md5:${HEX.slice(32)}`,
  `constructor:${HEX}`,
  `__proto__:${HEX}`,
])('%j is refused before it becomes a path', (text) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'invalid-digest' }));
});

test('what is no text is no digest, and a long fault is shortened', () => {
  for (const value of [undefined, null, 5, {}, [`sha256:${HEX}`]]) expect(isDigest(value)).toBe(false);
  expect(() => parseDigest('x'.repeat(10_000))).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{1,500}$/s) }),
  );
});

test('chainIDs: the example of image-spec config.md', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [never, never, never];
  const ab = digestOf(`${a} ${b}`);
  expect(chainIds([])).toEqual([]);
  expect(chainIds([a, b, c])).toEqual([a, ab, digestOf(`${ab} ${c}`)]);
});
