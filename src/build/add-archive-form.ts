import { closeSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { BLOCK_BYTES, isChecksumRight, isZeroBlock } from '../layer/tar-header.ts';
import { exited, spawnTool } from '../system/spawn.ts';

/** A tar as it is, or compressed: what ADD unpacks. */
export type ArchiveForm = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd';

const MAGIC: readonly (readonly [ArchiveForm, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];
const HEAD_BYTES = 64 * 1024;

/**
 * In which form the open file is a tar archive, by what is in it and never by its name; undefined where it is none:
 * what decompresses to anything but a tar is a plain file. Throws `missing-program` where xz or bzip2 is needed.
 */
export async function detectArchive(fd: number): Promise<ArchiveForm | undefined> {
  const head = Buffer.alloc(HEAD_BYTES);
  const length = readSync(fd, head, 0, head.length, 0);
  const bytes = head.subarray(0, length);
  const form = MAGIC.find(([, magic]) => bytes.subarray(0, magic.length).equals(magic))?.[0] ?? 'none';
  const block = form === 'none' ? bytes : await firstBlock(form, bytes, fd);
  return isTarBlock(block) ? form : undefined;
}

/** Go's reader, which BuildKit asks, finds nothing in an archive that begins with its end. */
function isTarBlock(bytes: Buffer): boolean {
  const block = bytes.subarray(0, BLOCK_BYTES);
  return block.length === BLOCK_BYTES && !isZeroBlock(block) && isChecksumRight(block);
}

async function firstBlock(form: Exclude<ArchiveForm, 'none'>, head: Buffer, fd: number): Promise<Buffer> {
  if (form === 'xz' || form === 'bzip2') return await firstOfProgram(form, fd);
  // The input is cut off, which is no fault here.
  const stream =
    form === 'gzip'
      ? createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
      : createZstdDecompress({ finishFlush: constants.ZSTD_e_flush });
  stream.end(head);
  return await takeBlock(stream);
}

async function firstOfProgram(form: 'xz' | 'bzip2', fd: number): Promise<Buffer> {
  const input = openSync(`/proc/self/fd/${fd}`, 'r');
  try {
    const child = spawnTool(form, ['-d', '-c'], [input, 'pipe', 'ignore']);
    const exit = exited(child, form);
    exit.catch(() => {});
    const block = await takeBlock(child.stdout!);
    child.kill('SIGKILL');
    await exit;
    return block;
  } finally {
    closeSync(input);
  }
}

/** The first bytes of a stream, at least a block where it has one; nothing where it is damaged. */
async function takeBlock(stream: Readable): Promise<Buffer> {
  let found: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of stream) {
      found = Buffer.concat([found, chunk]);
      if (found.length >= BLOCK_BYTES) break;
    }
  } catch {
    return found;
  }
  return found;
}
