import { expect, test } from 'vitest';
import { resolveUser } from '../../src/bundle/user.ts';
import { growth, LINEAR } from '../support/program/growth.ts';

const PASSWD = Buffer.from(
  [
    'root:x:0:0:root:/root:/bin/sh',
    '# comment',
    'me:x:1000:1001:Me:/home/me:/bin/sh',
    '77:x:5:6::/five:',
    'odd:x:9:9::relative:',
    '',
  ].join('\n'),
);
const GROUP = Buffer.from(
  ['root:x:0:', 'wheel:x:10:root,me', 'me:x:1001:', 'sudo:x:27:other,me', '88:x:8:', ''].join('\n'),
);

test.each([
  ['', 0, 0, [0, 10], '/root'],
  ['root', 0, 0, [0, 10], '/root'],
  ['me', 1000, 1001, [1001, 10, 27], '/home/me'],
  ['1000', 1000, 1001, [1001, 10, 27], '/home/me'],
  ['4242', 4242, 0, [0], '/'],
  ['me:sudo', 1000, 27, [27], '/home/me'],
  ['me:99', 1000, 99, [99], '/home/me'],
  ['5000:5001', 5000, 5001, [5001], '/'],
  ['me:', 1000, 1001, [1001, 10, 27], '/home/me'],
  [':wheel', 0, 10, [10], '/root'],
  ['77', 5, 6, [6], '/five'],
  ['me:88', 1000, 8, [8], '/home/me'],
  ['odd', 9, 9, [9], '/'],
  ['2147483647', 2 ** 31 - 1, 0, [0], '/'],
])('%j', (text, uid, gid, additionalGids, home) => {
  expect(resolveUser(text, PASSWD, GROUP)).toEqual({ uid, gid, additionalGids, home });
});

test.each([2 ** 31, 2 ** 32, 2 ** 32 + 1, '9'.repeat(400)])(
  'the ID %s is refused as a user and as a group',
  (id) => {
    expect(() => resolveUser(`${id}`, PASSWD, GROUP)).toThrow('user ID');
    expect(() => resolveUser(`me:${id}`, PASSWD, GROUP)).toThrow('group ID');
  },
);

test.each(['nobody', '-1', '+5', '1e3', '0x10', 'me ', '1000:nogroup', '1000:-1', 'a:b:c', '١'])(
  '%j is not found',
  (text) => {
    expect(() => resolveUser(text, PASSWD, GROUP)).toThrow(/is not in the image's/);
  },
);

test('without files, numbers and root are known', () => {
  expect(resolveUser('', undefined, undefined)).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: '/' });
  expect(resolveUser('7:8', undefined, undefined)).toEqual({
    uid: 7,
    gid: 8,
    additionalGids: [8],
    home: '/',
  });
  expect(() => resolveUser('me', undefined, undefined)).toThrow('passwd');
});

test('lines with IDs that no system has are passed over', () => {
  const ids = ['4294967296', '4294967295', '2147483648', '-1', '1.5', '', 'x', ' 7', '0x0', '00000000000000'];
  const passwd = Buffer.from(ids.map((id, index) => `u${index}:x:${id}:${id}::/:`).join('\n'));
  for (const index of ids.keys())
    expect(() => resolveUser(`u${index}`, passwd, undefined)).toThrow('not in the image');
  const group = Buffer.from('g:x:4294967296:\n');
  expect(() => resolveUser('0:g', undefined, group)).toThrow('not in the image');
});

test('garbage and giant lines are read quickly, and what is in order among them counts', () => {
  const passwd = (size: number) => {
    const garbage = Buffer.alloc(size, Buffer.from([0, 255, 58, 192, 13]));
    return Buffer.concat([garbage, Buffer.from(`\n${':'.repeat(size)}\nme:x:1:2::/me:\n`), garbage]);
  };
  const resolve = (file: Buffer) =>
    expect(resolveUser('me', file, file)).toMatchObject({ uid: 1, gid: 2, home: '/me' });
  expect(growth(passwd, 64 * 1024, resolve)).toBeLessThan(LINEAR);
});
