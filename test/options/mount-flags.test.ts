import { describe, expect, test } from 'vitest';
import { parseMountFlag } from '../../src/options/mounts/mount-flag.ts';
import { parseTmpfsFlag } from '../../src/options/mounts/tmpfs-flag.ts';
import { parseVolumeFlag } from '../../src/options/mounts/volume-flag.ts';

const volume = { kind: 'volume', readOnly: false, copyImage: true, labels: {} };
const bind = { kind: 'bind', readOnly: false, createSource: true };

describe('-v', () => {
  test.each([
    ['/data', { ...volume, target: '/data' }],
    ['data', { ...volume, target: '/data' }],
    ['./data', { ...volume, target: '/data' }],
    ['a/b/', { ...volume, target: '/a/b' }],
    ['../data', { ...volume, target: '/data' }],
    ['./x y', { ...volume, target: '/x y' }],
    ['d', { ...volume, target: '/d' }],
    ['db:/data', { ...volume, name: 'db', target: '/data' }],
    ['db:/data:ro,nocopy', { ...volume, name: 'db', target: '/data', readOnly: true, copyImage: false }],
    ['db:/a/../b//c/.:z', { ...volume, name: 'db', target: '/b/c' }],
    ['/srv:/data:ro', { ...bind, source: '/srv', target: '/data', readOnly: true }],
    ['/srv/:/data/', { ...bind, source: '/srv', target: '/data' }],
    ['.:/data', { ...bind, source: '/home/me', target: '/data' }],
    ['./x:/data', { ...bind, source: '/home/me/x', target: '/data' }],
    ['../x:/data', { ...bind, source: '/home/x', target: '/data' }],
    [
      '/srv:/data:rslave,bind',
      { ...bind, source: '/srv', target: '/data', propagation: 'rslave', recursive: false },
    ],
  ])('%s', (text, expected) => expect(parseVolumeFlag(text, '/home/me')).toEqual(expected));

  test.each([
    ['', 'a part of it is empty'],
    [':/data', 'a part of it is empty'],
    ['db:', 'a part of it is empty'],
    ['db:data', '"data" is not an absolute path'],
    ['.', 'is the root of the container'],
    ['..', 'is the root of the container'],
    ['data:ro', '"ro" is not an absolute path'],
    ['/data:ro', '"ro" is not an absolute path'],
    ['./data:ro', '"ro" is not an absolute path'],
    ['db:/data:ro,rw', '"ro" and "rw" contradict each other'],
    ['db:/data:ro,readonly', '"ro" and "readonly" contradict each other'],
    ['db:/data:ro,ro', '"ro" is given twice'],
    ['/srv:/data:z,Z', '"z" and "Z" contradict each other'],
    ['/srv:/data:shared,rslave', '"shared" and "rslave" contradict each other'],
    ['/srv:/data:bind,rbind', '"bind" and "rbind" contradict each other'],
    ['/srv:/data:cached,delegated', '"cached" and "delegated" contradict each other'],
    ['db:/data:copy,nocopy', '"copy" and "nocopy" contradict each other'],
    ['/srv:/data:nocopy', 'a folder of the host is not filled from the image'],
    ['db:/', 'is the root of the container'],
    ['db:/a/..', 'is the root of the container'],
    ['d:/data', '"d" is neither a path nor the name of a volume'],
    ['x/y:/data', '"x/y" is neither a path nor the name of a volume'],
    ['~/x:/data', '"~/x" is neither a path nor the name of a volume'],
    ['db:/data:rx', 'unknown option "rx"'],
    ['db:/data:rslave', 'no bind propagation'],
    ['a:b:c:d', 'more than two colons'],
  ])('refuses %j', (text, message) => expect(() => parseVolumeFlag(text, '/home/me')).toThrow(message));
});

describe('--mount', () => {
  test.each([
    ['type=bind,source=/srv,target=/data', { ...bind, createSource: false, source: '/srv', target: '/data' }],
    [
      'type=bind,src=/srv,dst=/data,readonly',
      { ...bind, createSource: false, source: '/srv', target: '/data', readOnly: true },
    ],
    [
      'type=bind,src=/srv,dst=/data,ro=false',
      { ...bind, createSource: false, source: '/srv', target: '/data' },
    ],
    ['type=bind,"src=/a,b",dst=/data', { ...bind, createSource: false, source: '/a,b', target: '/data' }],
    [
      'type=bind,src=/srv,dst=/data,bind-propagation=rslave,bind-nonrecursive,bind-create-src',
      { ...bind, source: '/srv', target: '/data', propagation: 'rslave', recursive: false },
    ],
    ['type=bind,src=./a,dst=/data', { ...bind, createSource: false, source: '/home/me/a', target: '/data' }],
    ['type=bind,src=.,dst=/data', { ...bind, createSource: false, source: '/home/me', target: '/data' }],
    ['type=bind,src=../a,dst=/data', { ...bind, createSource: false, source: '/home/a', target: '/data' }],
    ['dst=/data,src=./a,type=bind', { ...bind, createSource: false, source: '/home/me/a', target: '/data' }],
    ['type=BIND,src=/a,dst=/data', { ...bind, createSource: false, source: '/a', target: '/data' }],
    [
      'type=bind,src=/a,dst=/data,readonly,bind-recursive=readonly,bind-propagation=rprivate',
      {
        ...bind,
        createSource: false,
        source: '/a',
        target: '/data',
        readOnly: true,
        propagation: 'rprivate',
      },
    ],
    ['src=db,dst=/data', { ...volume, name: 'db', target: '/data' }],
    ['type=volume,target=/data,volume-nocopy=true', { ...volume, target: '/data', copyImage: false }],
    [
      'type=volume,src=db,dst=/data,volume-label=a=b',
      { ...volume, name: 'db', target: '/data', labels: { a: 'b' } },
    ],
    [
      'type=tmpfs,dst=/run,tmpfs-size=64m,tmpfs-mode=1770',
      { kind: 'tmpfs', target: '/run', options: ['size=67108864', 'mode=1770'] },
    ],
    [
      'type=tmpfs,dst=/run,tmpfs-size=1.5GiB',
      { kind: 'tmpfs', target: '/run', options: ['size=1610612736'] },
    ],
  ])('%s', (text, expected) => expect(parseMountFlag(text, '/home/me')).toEqual(expected));

  test.each([
    ['type=bind,source=/srv', 'it has no target'],
    ['type=bind,target=/data', 'source "" is not an absolute path'],
    ['type=bind,source=srv,target=/data', 'source "srv" is not an absolute path'],
    ['type=nfs,target=/data', 'type "nfs"'],
    ['type=bind,src=/srv,dst=/data,volume-nocopy', 'a mount of type bind has no "volume-nocopy"'],
    ['type=bind,src=/srv,dst=/data,foo=bar', 'has no "foo"'],
    ['type=bind,src', '"src" is not key=value'],
    ['type=bind,"src=/srv,dst=/data', 'quotes do not match'],
    ['type=bind,src=/srv,dst=/data,ro=maybe', 'not "maybe"'],
    ['type=tmpfs,src=x,dst=/data', 'a tmpfs has no source'],
    ['type=tmpfs,dst=/data,tmpfs-size=much', 'tmpfs-size "much" is not a size'],
    ['type=tmpfs,dst=/data,tmpfs-size=10%', 'tmpfs-size "10%" is not a size'],
    ['type=tmpfs,dst=/data,tmpfs-mode=rwx', '"mode=rwx" is no option of a tmpfs'],
    ['type=volume,src=./x,dst=/data', 'invalid volume name "./x"'],
    ['type=volume,dst=/data,readonly', 'an anonymous volume cannot be read-only'],
    ['type=bind,src=/a,dst=/data,bind-recursive=readonly', 'bind-recursive=readonly needs readonly'],
    [
      'type=bind,src=/a,dst=/data,ro,bind-recursive=readonly',
      'bind-recursive=readonly needs bind-propagation=rprivate',
    ],
    ['type=volume,src=../x,dst=/data', 'invalid volume name "../x"'],
    ['type=volume,src=db,dst=/data,volume-opt=type=nfs', 'volume-opt is not there yet'],
    ['type=volume,src=db,dst=/data,volume-driver=nfs', 'volume-driver=nfs is not there yet'],
  ])('refuses %s', (text, message) => expect(() => parseMountFlag(text, '/home/me')).toThrow(message));
});

describe('--tmpfs', () => {
  test.each([
    ['/run', []],
    ['/run:', []],
    ['/run:rw,noexec,size=65536k,mode=1777,uid=5', ['rw', 'noexec', 'size=65536k', 'mode=1777', 'uid=5']],
  ])('%s', (text, options) =>
    expect(parseTmpfsFlag(text)).toEqual({ kind: 'tmpfs', target: '/run', options }),
  );

  test.each([
    ['run', 'not an absolute path'],
    ['/run:huge', '"huge" is no option of a tmpfs'],
    ['/run:size=1,bind', '"bind" is no option of a tmpfs'],
    ['/run:context=x', '"context=x" is no option'],
  ])('refuses %s', (text, message) => expect(() => parseTmpfsFlag(text)).toThrow(message));
});
