import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHost, type TestBuildHost } from '../support/builder/build-host.ts';
import { addImage } from '../support/image/busybox-image.ts';
import { type TarMember, tarBytes } from '../support/layer/tar-bytes.ts';

const file = (path: string, content = path): TarMember => ({ path, content });
const folder = (path: string): TarMember => ({ path: `${path}/`, type: 'directory', mode: 0o755 });
const symlink = (path: string, target: string): TarMember => ({ path, type: 'symlink', target });
const hardlink = (path: string, target: string): TarMember => ({ path, type: 'hardlink', target });

/** A folder, one that symlinks lead to, and such a symlink. */
const BASE = [
  folder('t'),
  folder('t/d'),
  file('t/d/x'),
  folder('t/real'),
  file('t/real/x', 'x'),
  file('t/real/y', 'y'),
  symlink('t/low', 'real'),
];
const LIST =
  'cd /t && for p in $(find . | sort); do if [ -L $p ]; then echo $p@; elif [ -d $p ]; then echo $p/; else echo $p=$(cat $p); fi; done';

let made: TestBuildHost;
beforeAll(async () => {
  made = await buildHost();
});
afterAll(async () => {
  await made[Symbol.asyncDispose]();
});

let images = 0;

/** What COPY takes of the image before anything of it is unpacked, and what a RUN sees in it. */
async function views(layer: readonly TarMember[]): Promise<{ copied: string; unpacked: string }> {
  const reference = `odd:${images++}`;
  // Unlike any other: what is unpacked of one image is there for the next.
  const base = [...BASE, file(`unique-${images}`)];
  await addImage(made.store, { reference, layers: [tarBytes(base), tarBytes(layer)] });
  const look = `RUN --mount=from=${reference},source=/t,target=/t ${LIST}\n`;
  await made.build(`FROM busybox\nCOPY --from=${reference} /t /t\nRUN ${LIST}\n`, { noCache: true });
  const copied = made.output();
  await made.build(`FROM busybox\n${look}`, { noCache: true });
  return { copied, unpacked: made.output() };
}

const shown = (...lines: string[]) => `${['./', ...lines].join('\n')}\n`;
const D = ['./d/', './d/x=t/d/x'];
const LOW = './low@';

describe('a layer with an odd order shows one thing, whether it is unpacked or only listed', () => {
  test.each<[string, TarMember[], string]>([
    [
      'a symlink, then a whiteout below it',
      [symlink('t/lib', 'real'), file('t/lib/.wh.x', '')],
      shown(...D, './lib@', LOW, './real/', './real/y=y'),
    ],
    [
      'a symlink in a folder’s place, then a whiteout below it',
      [symlink('t/d', 'real'), file('t/d/.wh.x', '')],
      shown('./d@', LOW, './real/', './real/y=y'),
    ],
    [
      'a symlink, then an opaque marker below it',
      [symlink('t/lib', 'real'), file('t/lib/.wh..wh..opq', '')],
      shown(...D, './lib@', LOW, './real/'),
    ],
    [
      'a symlink, then a file below it',
      [symlink('t/lib', 'real'), file('t/lib/new', 'n')],
      shown(...D, './lib@', LOW, './real/', './real/new=n', './real/x=x', './real/y=y'),
    ],
    [
      'a whiteout below a symlink of the layer below',
      [file('t/low/.wh.x', '')],
      shown(...D, LOW, './real/', './real/y=y'),
    ],
    [
      'a hard link to the layer below, then a whiteout of what it names',
      [hardlink('t/b', 't/real/x'), file('t/real/.wh.x', '')],
      shown('./b=x', ...D, LOW, './real/', './real/y=y'),
    ],
    [
      'a hard link, then a whiteout of the folder that it is in',
      [hardlink('t/real/b', 't/real/x'), file('t/.wh.real', '')],
      shown(...D, LOW, './real/', './real/b=x'),
    ],
    [
      'a hard link by way of a symlink',
      [symlink('t/lib', 'real'), hardlink('t/z', 't/lib/x')],
      shown(...D, './lib@', LOW, './real/', './real/x=x', './real/y=y', './z=x'),
    ],
    [
      'a folder, what is in it, a file in its place, and the folder again',
      [folder('t/n'), file('t/n/one'), file('t/n', 'file'), folder('t/n'), file('t/n/two', '2')],
      shown(...D, LOW, './n/', './n/two=2', './real/', './real/x=x', './real/y=y'),
    ],
    [
      'a file, then an opaque marker below it',
      [file('t/f', 'f'), file('t/f/.wh..wh..opq', '')],
      shown(...D, './f=f', LOW, './real/', './real/x=x', './real/y=y'),
    ],
    [
      'a file of its own, then a whiteout of it',
      [file('t/real/x', 'new'), file('t/real/.wh.x', '')],
      shown(...D, LOW, './real/', './real/x=new', './real/y=y'),
    ],
  ])('%s', async (_what, layer, expected) => {
    expect(await views(layer)).toEqual({ copied: expected, unpacked: expected });
  });

  test.each<[string, TarMember[]]>([
    ['a hard link, then a whiteout below it', [hardlink('t/h', 't/real/x'), file('t/h/.wh.x', '')]],
    ['a whiteout, then a hard link to what is gone', [file('t/real/.wh.x', ''), hardlink('t/b', 't/real/x')]],
  ])('is refused: %s', async (_what, layer) => {
    await expect(views(layer)).rejects.toMatchObject({ code: 'corrupt' });
  });
}, 120_000);
