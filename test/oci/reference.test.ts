import { describe, expect, test } from 'vitest';
import {
  familiarName,
  familiarRepository,
  formatReference,
  parseReference,
  withDefaultTag,
} from '../../src/oci/reference.ts';
import { growth, LINEAR } from '../support/program/growth.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('as Docker reads them', () => {
  test.each([
    ['node', 'docker.io/library/node', 'node'],
    ['node:20', 'docker.io/library/node:20', 'node:20'],
    ['me/app', 'docker.io/me/app', 'me/app'],
    ['docker.io/node', 'docker.io/library/node', 'node'],
    ['docker.io/library/node', 'docker.io/library/node', 'node'],
    ['index.docker.io/me/app:1', 'docker.io/me/app:1', 'me/app:1'],
    ['library/node', 'docker.io/library/node', 'node'],
    ['localhost/app', 'localhost/app', 'localhost/app'],
    ['localhost:5000/app:1', 'localhost:5000/app:1', 'localhost:5000/app:1'],
    ['127.0.0.1:5000/a/b/c:1', '127.0.0.1:5000/a/b/c:1', '127.0.0.1:5000/a/b/c:1'],
    ['[::1]:5000/app', '[::1]:5000/app', '[::1]:5000/app'],
    ['registry.example/app', 'registry.example/app', 'registry.example/app'],
    ['Host/app', 'Host/app', 'Host/app'],
    [`node@${DIGEST}`, `docker.io/library/node@${DIGEST}`, `node@${DIGEST}`],
    [`a.b:1/c:t@${DIGEST}`, `a.b:1/c:t@${DIGEST}`, `a.b:1/c:t@${DIGEST}`],
    ['a__b/c-d.e_f--g', 'docker.io/a__b/c-d.e_f--g', 'a__b/c-d.e_f--g'],
    ['x:_.-A9', 'docker.io/library/x:_.-A9', 'x:_.-A9'],
  ])('%s', (text, full, familiar) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(full);
    expect(familiarName(reference)).toBe(familiar);
    expect(parseReference(full)).toEqual(reference);
    expect(parseReference(familiar)).toEqual(reference);
  });

  test('latest is meant where neither tag nor digest is given', () => {
    expect(withDefaultTag(parseReference('node')).tag).toBe('latest');
    expect(withDefaultTag(parseReference('node:1')).tag).toBe('1');
    expect(withDefaultTag(parseReference(`node@${DIGEST}`)).tag).toBeUndefined();
  });

  test.each([
    ['docker.io/library/a/b', 'library/a/b'],
    ['docker.io/localhost/x', 'docker.io/localhost/x'],
    ['docker.io/a.b/c', 'docker.io/a.b/c'],
    ['docker.io/library/localhost', 'localhost'],
  ])('%s is not cut to what would be another repository', (text, familiar) => {
    const reference = parseReference(text);
    expect(familiarRepository(reference)).toBe(familiar);
    expect(parseReference(familiar)).toEqual(reference);
  });
});

describe('faults are quoted', () => {
  test.each([
    ['', 'it is empty'],
    ['0'.repeat(64), 'an ID, not a name'],
    ['Node', 'must be lowercase: "Node"'],
    ['me/App:1', 'must be lowercase: "App"'],
    ['node:', 'tag ""'],
    ['node:a b', 'tag "a b"'],
    [`node:${'a'.repeat(129)}`, 'is not 1 to 128'],
    ['node:.x', 'tag ".x"'],
    ['a//b', 'is empty'],
    ['a/', 'is empty'],
    ['/a', 'is empty'],
    ['../../etc/passwd', 'registry ".."'],
    ['a/../b', '".."'],
    ['a/.b', '".b"'],
    ['a_-b', '"a_-b"'],
    ['node@sha256:abc', '64 lower-case hex digits'],
    [`node@md5:${'0'.repeat(32)}`, 'not sha256 or sha512'],
    [`node@${DIGEST}@${DIGEST}`, 'hex digits'],
    ['https://registry.example/app', 'registry "https:"'],
    ['a.com:port/b', 'registry "a.com:port"'],
    ['-a.com/b', 'registry "-a.com"'],
    [`a.com/${'a/'.repeat(130)}b`, 'more than 255'],
    ['a\u0000b', 'cannot be part'],
    ['a\nb', 'cannot be part'],
  ])('%j', (text, why) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ code: 'invalid-reference', message: expect.stringContaining(why) }),
    );
  });

  test('the hint writes it in lower case', () => {
    expect(() => parseReference('me/App')).toThrow(expect.objectContaining({ hint: 'write "me/app"' }));
  });

  test.each([
    ['a-', '!'],
    ['a.', '!/b'],
  ])('a long name of %j is refused in no time', (part, end) => {
    const refused = (text: string) =>
      expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'invalid-reference' }));
    expect(growth((size) => part.repeat(size) + end, 6000, refused)).toBeLessThan(LINEAR);
  });
});
