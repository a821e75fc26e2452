import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { entry } from '../layer/raw-tar.ts';

/** An entry as one line: `type mode uid:gid path`, then `=content`, `->target` or `major,minor`. */
export interface TreeLine {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly path: string;
  readonly text: string;
}

export function parseLine(line: string): TreeLine {
  const match = /^([dfl]) ([0-7]+) (\d+):(\d+) ([^=>]*?)(?:(=|->)(.*))?$/s.exec(line);
  if (match === null) throw new Error(`no tree line: ${line}`);
  const [, type, mode = '', uid, gid, path = '', , text = ''] = match;
  return {
    type: type === 'd' ? 'directory' : type === 'l' ? 'symlink' : 'file',
    mode: Number.parseInt(mode, 8),
    uid: Number(uid),
    gid: Number(gid),
    path,
    text,
  };
}

const TYPE_FLAGS = { directory: '5', symlink: '2', file: '0' };

/** A tar with these entries, as they stand, each from 2001. */
export function tarOf(lines: readonly string[]): Buffer {
  const entries = lines.map(parseLine).map(({ type, mode, uid, gid, path, text }) => {
    const fields = { name: type === 'directory' ? `${path}/` : path, type: TYPE_FLAGS[type], mode, uid, gid };
    return type === 'file'
      ? entry({ ...fields, mtime: 1_000_000_000 }, text)
      : entry({
          ...fields,
          mtime: 1_000_000_000,
          size: 0,
          ...(type === 'symlink' ? { linkName: text } : {}),
        });
  });
  return Buffer.concat([...entries, Buffer.alloc(1024)]);
}

/** The image below: what destinations are resolved against. */
export const BASE = [
  'd 755 0:0 etc',
  'f 600 5:6 file=base',
  'd 711 7:8 dst',
  'd 777 9:9 dst/sub',
  'f 600 9:9 dst/f=old',
  'd 755 0:0 dst/top',
  'f 644 0:0 dst/top/k=k',
  'l 777 0:0 lnk->dst',
  'l 777 0:0 abslnk->/dst',
  'l 777 0:0 flnk->dst/f',
  'l 777 0:0 dangling->/not/there',
  'l 777 0:0 par->dst/sub',
  'l 777 0:0 up->../../dst',
  'l 777 0:0 loop->loop',
  'd 755 0:0 dst2',
  'l 777 0:0 dst2/sub->../dst/sub',
  'd 755 0:0 dst3',
  'f 644 0:0 dst3/sub=x',
  'd 755 0:0 dst4',
  'd 755 0:0 dst4/f',
] as const;

const ARCHIVE = [
  'd 750 9:9 sub',
  'f 600 3:4 sub/f=T',
  'f 644 5:6 top=T2',
  'l 777 1:1 lnk->top',
  'f 644 0:0 etc/passwd=P',
  'f 644 2:2 noparent/x=N',
];

/** The build context, made in an empty folder. */
export function makeContext(root: string): void {
  const at = (path: string) => join(root, path);
  const file = (path: string, content: string | Buffer, mode = 0o644) => {
    writeFileSync(at(path), content);
    chmodSync(at(path), mode);
  };
  const folder = (path: string, mode = 0o755) => {
    mkdirSync(at(path));
    chmodSync(at(path), mode);
  };
  folder('dir', 0o700);
  folder('dir/sub', 0o750);
  file('dir/f', 'F', 0o640);
  file('dir/sub/g', 'G');
  symlinkSync('f', at('dir/lf'));
  file('a', 'A', 0o4755);
  file('b', 'B');
  symlinkSync('a', at('la'));
  symlinkSync('dir', at('ld'));
  symlinkSync('/dir', at('absdir'));
  symlinkSync('nowhere', at('broken'));
  symlinkSync('loop', at('loop'));
  linkSync(at('b'), at('hard'));
  folder('empty');
  folder('deep');
  folder('deep/er');
  symlinkSync('../../b', at('deep/er/up'));
  symlinkSync('../../../../b', at('deep/er/far'));
  folder('arr');
  file('arr/x[0].txt', 'X');
  file('ü.txt', 'U');
  folder('tars');
  file('tars/a.tar', tarOf(ARCHIVE));
  file('tars/a.tgz', gzipSync(tarOf(ARCHIVE)));
  file('tars/dot.tar', tarOf(['d 700 9:9 .', 'f 644 3:3 ./q=Q']));
  file('tars/over.tar', tarOf(['f 600 1:1 dst=now a file', 'd 700 1:1 file', 'f 600 1:1 file/in=in']));
  file('tars/through.tar', tarOf(['f 600 1:1 lnk/thru=t']));
  file('tars/empty.tar', '');
  file('tars/bad.tar', 'x'.repeat(2000));
  file('tars/plain.gz', gzipSync('plain'));
  symlinkSync('a.tar', at('tars/link.tar'));
  for (const [form, program] of [
    ['bz2', 'bzip2'],
    ['xz', 'xz'],
    ['zst', 'zstd'],
  ]) {
    file(`tars/a.tar.${form}`, spawnSync(program!, ['-c'], { input: tarOf(ARCHIVE) }).stdout);
  }
  for (const path of ['a', 'b', 'dir/f', 'dir/sub/g', 'dir/sub', 'dir']) utimesSync(at(path), 1e9, 1e9);
}

/** Lines of a Dockerfile behind `FROM` the base; the last makes the layer that is compared. */
export const COPY_CASES = [
  'COPY a /new',
  'COPY a /new/',
  'COPY a /new/deep/x',
  'COPY --chown=3:4 a /new/deep/x',
  'COPY --chown=3 dir /n/x',
  'COPY dir /new',
  'COPY dir /dst',
  'COPY dir /dst/',
  'COPY dir/ /dst',
  'COPY dir/. /dst',
  'COPY dir /dst/new/',
  'COPY a /dst',
  'COPY a /dst/',
  'COPY a /dst/.',
  'COPY a /x/.',
  'COPY dir /file',
  'COPY dir /file/',
  'COPY a /file/',
  'COPY a /file/x',
  'COPY a /file',
  'COPY a /lnk',
  'COPY a /lnk/',
  'COPY a /abslnk/x',
  'COPY a /flnk',
  'COPY a /dangling',
  'COPY a /dangling/',
  'COPY a /up',
  'COPY a /loop',
  'COPY a /loop/x',
  'COPY dir /lnk',
  'COPY dir /dangling',
  'COPY dir /par/q',
  'COPY dir /dst2',
  'COPY dir /dst3',
  'COPY dir /dst4',
  'COPY dir/sub/g /dst/sub',
  'COPY a b /new/',
  'COPY a b /dst',
  'COPY a dir /new/',
  'COPY a dir/f /dst',
  'COPY dir/ a /dst',
  'COPY la /x',
  'COPY ld /x',
  'COPY absdir /y',
  'COPY absdir/f /y',
  'COPY broken /x',
  'COPY loop /y',
  'COPY deep/er/up /y',
  'COPY deep/er/far /y',
  'COPY l[ad] /x/',
  'COPY d* /x',
  'COPY dir/* /x/',
  'COPY [ab] /x/',
  'COPY ?.txt /y/',
  'COPY arr/x[[]0].txt /y/',
  'COPY arr/x[0].txt /y/',
  'COPY arr/x?0?.txt /y/',
  'COPY nomatch* a /y/',
  'COPY nomatch* /y/',
  'COPY nomatch /x',
  'COPY nomatch/x /x',
  'COPY [ab /x',
  'COPY empty /x',
  'COPY empty /x/',
  'COPY hard b /h/',
  'COPY ../a /x',
  'COPY /a /x',
  'COPY ./dir/../a /x',
  'COPY dir//f /z',
  'COPY a/ /z',
  'COPY a .',
  'COPY a ./',
  'COPY a ""',
  'COPY a x/../y',
  'COPY "a b" /x',
  'WORKDIR /lnk\nCOPY a rel',
  'WORKDIR /lnk\nCOPY a .',
  'COPY --from=base /dst /x',
  'COPY --from=base /lnk /x',
  'COPY --from=base /dst2/sub /x',
  'COPY --from=base /dst3/sub /flnk /x/',
  'COPY tars/a.tar /x',
  'ADD tars/a.tar /',
  'ADD tars/a.tar /new',
  'ADD tars/a.tar /new/',
  'ADD tars/a.tgz /new/deep',
  'ADD tars/a.tar.bz2 /new',
  'ADD tars/a.tar.xz /new',
  'ADD tars/a.tar /dst',
  'ADD tars/a.tar /lnk',
  'ADD tars/a.tar /dangling',
  'ADD tars/a.tar /file',
  'ADD --chmod=600 tars/a.tar /new',
  'ADD tars/dot.tar /dst',
  'ADD tars/dot.tar /n',
  'ADD tars/over.tar /',
  'ADD tars/through.tar /',
  'ADD tars/empty.tar /x',
  'ADD tars/bad.tar /x',
  'ADD tars/plain.gz /x',
  'ADD tars/link.tar /x',
  'ADD tars/a.tar b /x/',
  'ADD tars/*.tgz /y',
  'ADD b /x',
  'ADD dir /x',
  'ADD a b /y/',
] as const;
