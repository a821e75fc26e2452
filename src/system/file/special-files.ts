import { Readable } from 'node:stream';
import { OcitsError } from '../../errors.ts';
import { runTool } from '../process/spawn.ts';
import { archiveEnd, archiveNode, type NodeToMake } from './node-archive.ts';
import { type FileXattrs, formatXattrs } from './xattr-dump.ts';

const BATCH_BYTES = 256 * 1024;

/**
 * Makes what Node cannot: devices, fifos, and anything whose time has nanoseconds. Owner, mode and time are exact.
 * Folders that exist already get theirs last of all. Parents must exist; the time of a folder that is not among the
 * nodes is that of the call afterwards. One process (GNU tar 1.28 or later).
 */
export async function makeNodes(
  folder: string,
  nodes: Iterable<NodeToMake>,
  signal?: AbortSignal,
): Promise<void> {
  await runTool(
    'tar',
    [
      '--extract',
      '--file=-',
      '--numeric-owner',
      '--same-owner',
      '--same-permissions',
      '--delay-directory-restore',
      '--warning=no-timestamp',
    ],
    options(folder, batches(archive(nodes)), signal),
  );
}

/**
 * Gives regular files of `folder` their exact time: those at the same paths in `pattern`, a folder made by `makeNodes`
 * of empty files. Folders that both have get `pattern`'s times, too. One process (GNU cp).
 */
export async function copyTimes(pattern: string, folder: string, signal?: AbortSignal): Promise<void> {
  const args = ['--recursive', '--no-dereference', '--attributes-only', '--preserve=timestamps'];
  await runTool('cp', [...args, '--no-target-directory', '--', pattern, folder], { signal });
}

/**
 * Sets extended attributes, symlinks' own included, one process (`setfattr`, attr 2.4 or later). Gives the lines of
 * those that the file system or the kernel refuses as not supported or not permitted (in a user namespace); throws
 * `tool-failed` for any other failure.
 */
export async function setXattrs(
  folder: string,
  files: Iterable<FileXattrs>,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const result = await runTool('setfattr', ['-h', '--restore=-'], {
    ...options(folder, batches(lines(files)), signal),
    okCodes: [0, 1],
    keepsStderr: true,
  });
  const complaints = result.stderr.split('\n').filter((line) => line !== '');
  const failure = complaints.find((line) => !/Operation not (supported|permitted)$/.test(line));
  if (failure !== undefined || (result.exitCode !== 0 && complaints.length === 0)) {
    throw new OcitsError('tool-failed', `setfattr failed: ${failure ?? 'no message'}`, { exitCode: 1 });
  }
  return complaints;
}

/** Makes the device that means a whiteout to overlayfs: a character device 0:0. */
export async function makeWhiteoutDevice(path: string): Promise<void> {
  await runTool('mknod', ['--mode=0', '--', path, 'c', '0', '0']);
}

function options(cwd: string, input: Iterable<Buffer>, signal: AbortSignal | undefined) {
  return {
    cwd,
    env: { ...process.env, LC_ALL: 'C' },
    input: Readable.from(input, { objectMode: false }),
    signal,
  };
}

function* archive(nodes: Iterable<NodeToMake>): Generator<Buffer> {
  for (const node of nodes) yield archiveNode(node);
  yield archiveEnd();
}

function* lines(files: Iterable<FileXattrs>): Generator<Buffer> {
  for (const file of files) yield Buffer.from(formatXattrs(file), 'latin1');
}

/** Few large writes instead of many small ones. */
function* batches(parts: Iterable<Buffer>): Generator<Buffer> {
  let batch: Buffer[] = [];
  let sizeBytes = 0;
  for (const part of parts) {
    batch.push(part);
    sizeBytes += part.length;
    if (sizeBytes < BATCH_BYTES) continue;
    yield Buffer.concat(batch);
    batch = [];
    sizeBytes = 0;
  }
  if (sizeBytes > 0) yield Buffer.concat(batch);
}
