import { entry, gnuLong, type HeaderFields, pax, tar } from '../layer/raw-tar.ts';
import type { HostileTar } from './hostile-tars.ts';

/** A folder of the host that symlinks in hostile layers point to. A test makes it, with the file `file` in it. */
export const OUTSIDE = '/tmp/ocits-outside';

function hostile(name: string, ...parts: Buffer[]): HostileTar {
  return { name, bytes: () => tar(...parts), reader: 'hostile' };
}

/** Harmless for the reader: what it means is for whoever unpacks it. */
function passed(name: string, paths: readonly string[], ...parts: Buffer[]): HostileTar {
  return { name, bytes: () => tar(...parts), reader: 'ok', paths };
}

const file = (name: string, more: HeaderFields = {}) => entry({ name, ...more }, 'evil\n');
const folder = (name: string, more: HeaderFields = {}) => entry({ name, type: '5', mode: 0o755, ...more });
const symlink = (name: string, linkName: string) => entry({ name, type: '2', linkName });
const hardlink = (name: string, linkName: string) => entry({ name, type: '1', linkName });

/** Names that leave the layer, or that mean something else to another reader; then links, duplicates and markers. */
export function hostileNames(): HostileTar[] {
  return [...escapes(), ...lengths(), ...markers(), ...links(), ...replacements(), ...overlayTricks()];
}

function escapes(): HostileTar[] {
  return [
    hostile('dotdot', file('../evil')),
    hostile('dotdot-deep', file('a/b/../../../evil')),
    hostile('dotdot-absolute', file('/../evil')),
    hostile('dotdot-folder', folder('..')),
    hostile('dotdot-ustar-prefix', file('evil', { prefix: '../..' })),
    hostile('dotdot-pax-path', pax({ path: '../evil' }), file('good')),
    hostile('dotdot-gnu-long-name', gnuLong('L', `${'a/'.repeat(60)}${'../'.repeat(61)}evil`), file('good')),
    hostile(
      'dotdot-sparse-name',
      pax({ 'GNU.sparse.map': '0,5', 'GNU.sparse.size': '5', 'GNU.sparse.name': '../evil' }),
      file('good'),
    ),
    hostile('dotdot-hardlink-target', file('a'), hardlink('b', '../a')),
    hostile('dotdot-pax-linkpath', pax({ linkpath: '../../etc/passwd' }), hardlink('b', 'a')),
    hostile('dotdot-gnu-long-link', gnuLong('K', `${'../'.repeat(40)}etc/passwd`), hardlink('b', 'a')),
    hostile('dotdot-whiteout', file('../.wh.evil')),
    passed('dotdot-inside', ['b/evil'], file('a/../b/evil')),
    passed('absolute', ['etc/evil'], file('/etc/evil')),
    passed('absolute-slashes', ['etc/evil'], file('///etc//./evil')),
    passed('absolute-hardlink-target', ['b'], hardlink('b', `${OUTSIDE}/file`)),
    hostile('nul-in-pax-path', pax({ path: 'a\0/../../evil' }), file('good')),
    hostile('nul-in-pax-linkpath', pax({ linkpath: 'a\0b' }), symlink('good', 'a')),
    passed('nul-ends-gnu-long-name', ['evil'], gnuLong('L', 'evil\0/../../x'), file('good')),
    passed('global-pax-path', ['good'], pax({ path: '../evil' }, 'g'), file('good')),
  ];
}

function lengths(): HostileTar[] {
  const deep = 'abcdefg/'.repeat(512);
  return [
    hostile('path-of-4096', gnuLong('L', `${deep.slice(0, -1)}x`), file('x')),
    hostile('path-of-5000-pax', pax({ path: 'abcd/'.repeat(1000) }), folder('x')),
    hostile('name-of-256', pax({ path: 'n'.repeat(256) }), file('x')),
    hostile('symlink-of-4096', pax({ linkpath: 't'.repeat(4096) }), symlink('x', 't')),
    passed('path-of-4095', [deep.slice(0, -1)], gnuLong('L', deep.slice(0, -1)), file('x')),
    { ...hostile('symlink-to-nothing', symlink('x', '')), reader: 'corrupt' },
    hostile('root-as-file', file('./')),
    hostile('root-as-empty-name', file('')),
    hostile('root-as-symlink', symlink('.', OUTSIDE)),
    hostile('root-as-hardlink-target', hardlink('x', './')),
    passed('root-as-folder', ['', 'x'], folder('./', { mode: 0o700 }), file('./x')),
  ];
}

function markers(): HostileTar[] {
  return [
    hostile('whiteout-of-nothing', file('a/.wh.')),
    hostile('whiteout-of-dot', file('a/.wh..')),
    hostile('whiteout-of-dotdot', file('a/.wh...')),
    hostile('whiteout-as-folder', file('a/.wh.b/evil')),
    hostile('whiteout-hidden-by-dots', file('a/b/../.wh..')),
    passed('whiteout-with-data', ['a', 'b'], entry({ name: '.wh.a' }, 'x'.repeat(2000)), file('b')),
    passed('whiteout-and-file', ['a', 'a', 'a'], file('a'), file('.wh.a'), file('a')),
    passed(
      'aufs-files',
      ['b'],
      file('.wh..wh.plnk/1.2'),
      folder('.wh..wh.orph'),
      file('.wh..wh.aufs'),
      file('b'),
    ),
    passed('opaque-root', ['', 'b'], file('.wh..wh..opq'), file('b')),
  ];
}

function links(): HostileTar[] {
  return [
    passed('symlink-parent', ['a', 'a/evil'], symlink('a', OUTSIDE), file('a/evil')),
    passed(
      'symlink-parent-relative',
      ['a', 'a/evil'],
      symlink('a', `${'../'.repeat(30)}${OUTSIDE}`),
      file('a/evil'),
    ),
    passed(
      'symlink-parent-chain',
      ['a', 'b', 'b/file'],
      symlink('a', OUTSIDE),
      symlink('b', 'a'),
      file('b/file'),
    ),
    passed('symlink-parent-loop', ['a', 'b', 'a/x'], symlink('a', 'b'), symlink('b', 'a'), file('a/x')),
    passed('symlink-parent-self', ['a', 'a/x/y'], symlink('a', 'a/x'), file('a/x/y')),
    passed('symlink-parent-root', ['a', 'a/a/a/evil'], symlink('a', '/'), file('a/a/a/evil')),
    passed('symlink-parent-of-folder', ['a', 'a/b'], symlink('a', OUTSIDE), folder('a/b')),
    passed('symlink-parent-of-fifo', ['a', 'a/b'], symlink('a', OUTSIDE), entry({ name: 'a/b', type: '6' })),
    passed('symlink-parent-of-whiteout', ['a', 'a/file'], symlink('a', OUTSIDE), file('a/.wh.file')),
    passed('symlink-parent-of-opaque', ['a', 'a'], symlink('a', OUTSIDE), file('a/.wh..wh..opq')),
    passed(
      'symlink-parent-of-hardlink',
      ['f', 'a', 'a/b'],
      file('f'),
      symlink('a', OUTSIDE),
      hardlink('a/b', 'f'),
    ),
    passed('hardlink-through-symlink', ['a', 'b'], symlink('a', OUTSIDE), hardlink('b', 'a/file')),
    passed(
      'hardlink-to-symlink',
      ['a', 'b', 'b'],
      symlink('a', `${OUTSIDE}/file`),
      hardlink('b', 'a'),
      file('b'),
    ),
    passed('hardlink-to-itself', ['a'], hardlink('a', 'a')),
    passed('hardlink-to-later', ['a', 'b'], hardlink('a', 'b'), file('b')),
    passed('hardlink-to-folder', ['a', 'b'], folder('a'), hardlink('b', 'a')),
    passed('hardlink-to-missing', ['b'], hardlink('b', 'no/such/file')),
  ];
}

function replacements(): HostileTar[] {
  const device = { major: 1, minor: 3, mode: 0o666 };
  return [
    passed('file-over-symlink', ['a', 'a'], symlink('a', `${OUTSIDE}/file`), file('a')),
    passed('folder-over-symlink', ['a', 'a'], symlink('a', OUTSIDE), folder('a', { mode: 0o777, uid: 1 })),
    passed(
      'device-over-symlink',
      ['a', 'a'],
      symlink('a', `${OUTSIDE}/x`),
      entry({ name: 'a', type: '3', ...device }),
    ),
    passed('file-over-fifo', ['a', 'a'], entry({ name: 'a', type: '6' }), file('a')),
    passed('file-over-device', ['a', 'a'], entry({ name: 'a', type: '3', ...device }), file('a')),
    passed('file-over-folder', ['a', 'a/b', 'a'], folder('a'), file('a/b'), file('a')),
    passed(
      'file-over-hardlink',
      ['a', 'b', 'b'],
      file('a'),
      hardlink('b', 'a'),
      entry({ name: 'b' }, 'other'),
    ),
    passed('folder-over-file', ['a', 'a', 'a/b'], file('a'), folder('a'), file('a/b')),
    passed('file-below-file', ['a', 'a/b'], file('a'), file('a/b')),
    passed(
      'symlink-over-full-folder',
      ['a/b', 'a', 'a/evil'],
      file('a/b'),
      symlink('a', OUTSIDE),
      file('a/evil'),
    ),
    passed('same-name-often', Array(500).fill('a'), ...Array.from({ length: 500 }, () => file('a'))),
    passed(
      'same-name-all-types',
      ['a', 'a', 'a', 'a', 'a', 'a'],
      file('a'),
      symlink('a', OUTSIDE),
      folder('a'),
      entry({ name: 'a', type: '6' }),
      entry({ name: 'a', type: '4', ...device }),
      file('a'),
    ),
  ];
}

/** What the kernel's overlay would obey. */
function overlayTricks(): HostileTar[] {
  const withXattr = (key: string, value: string) => pax({ [`SCHILY.xattr.${key}`]: value });
  return [
    passed('overlay-opaque-xattr', ['a'], withXattr('trusted.overlay.opaque', 'y'), folder('a')),
    passed('overlay-user-opaque-xattr', ['a'], withXattr('user.overlay.opaque', 'y'), folder('a')),
    passed('overlay-redirect-xattr', ['a'], withXattr('trusted.overlay.redirect', '/etc'), folder('a')),
    passed('overlay-metacopy-xattr', ['a'], withXattr('trusted.overlay.metacopy', ''), file('a')),
    passed('overlay-whiteout-device', ['a'], entry({ name: 'a', type: '3', major: 0, minor: 0 })),
    hostile('xattr-name-with-newline', withXattr('user.a\n# file: ../../evil\nuser.b', 'x'), file('a')),
    hostile('xattr-name-with-nul', withXattr('user.a\0b', 'x'), file('a')),
    hostile('xattr-name-of-300', withXattr(`user.${'n'.repeat(295)}`, 'x'), file('a')),
    hostile('xattr-of-65537', withXattr('user.a', 'v'.repeat(65537)), file('a')),
  ];
}
