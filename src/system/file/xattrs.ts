import { OcitsError } from '../../errors.ts';
import { exited, runTool, spawnTool, tail } from '../process/spawn.ts';
import { type FileXattrs, XattrDumpReader } from './xattr-dump.ts';

/**
 * The extended attributes of `folder` and of all below it, of every namespace, symlinks' own included; files that
 * have none are left out. One process (`getfattr`, attr 2.4 or later), read as it prints.
 */
export async function readXattrs(
  folder: string,
  onFile: (file: FileXattrs) => void,
  signal?: AbortSignal,
): Promise<void> {
  const args = [
    '--recursive',
    '--physical',
    '--no-dereference',
    '--dump',
    '--match=-',
    '--encoding=hex',
    '.',
  ];
  await dump(args, folder, onFile, signal);
}

/** The extended attributes of one file of `folder`, of every namespace. `path` is plain ASCII. */
export async function readXattrsOf(folder: string, path: string): Promise<ReadonlyMap<string, Buffer>> {
  let found: ReadonlyMap<string, Buffer> = new Map();
  const args = ['--no-dereference', '--dump', '--match=-', '--encoding=hex', '--', path];
  await dump(args, folder, (file) => {
    found = file.xattrs;
  });
  return found;
}

async function dump(
  args: readonly string[],
  cwd: string,
  onFile: (file: FileXattrs) => void,
  signal?: AbortSignal,
): Promise<void> {
  const child = spawnTool('getfattr', args, ['ignore', 'pipe', 'pipe'], {
    cwd,
    env: { ...process.env, LC_ALL: 'C' },
    signal,
  });
  const exit = exited(child, 'getfattr');
  exit.catch(() => {});
  const stderr = tail(child.stderr!);
  stderr.catch(() => {});
  const reader = new XattrDumpReader(onFile);
  for await (const chunk of child.stdout!) reader.push(chunk);
  reader.end();
  const { code } = await exit;
  if (signal?.aborted) throw new OcitsError('aborted', 'interrupted while reading extended attributes');
  if (code !== 0) {
    throw new OcitsError('tool-failed', `getfattr failed in ${cwd}: ${(await stderr).trim()}`);
  }
}

/**
 * Removes the attribute `name` from files of `folder`, whatever bytes are in their names, in one batch. Each of
 * `paths` must have it.
 */
export async function removeXattr(folder: string, name: string, paths: readonly string[]): Promise<void> {
  const input = Buffer.from(paths.map((path) => `./${path}\0`).join(''), 'latin1');
  await runTool('xargs', ['-0', '-r', 'setfattr', '-h', '-x', name, '--'], { cwd: folder, input });
}
