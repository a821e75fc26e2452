/**
 * The room of files: written whole or not at all, growing while they are read, deleted as trees, and with all that
 * Node cannot set: devices, exact times, extended attributes. Every folder that touches the disk calls it. What Node
 * cannot do is done by one program for a whole batch, never by one a file.
 *
 *     await writeFileAtomic(join(folder, 'record.json'), JSON.stringify(record));
 *     const text = await textIfThere(join(folder, 'record.json'));
 *     await removeTrees([folder]);
 */

import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Writes `content` to `path` so that a reader sees the old file or the whole new one, also after a crash:
 * a temporary file in `scratch`, fsync, rename, fsync of the folder. Makes missing folders (0700); the file is 0600.
 * `scratch` is a folder of the same file system that is swept (`removeAbandoned`); the default is the file's own.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  scratch = dirname(path),
): Promise<void> {
  await replaceBy(path, scratch, async (temporary) => {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(content);
    await file.sync();
  });
  await syncFolder(dirname(path));
}

/**
 * The same without fsync, for what a crash of the machine may lose: a reader sees the old file or the whole new one.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  scratch = dirname(path),
): Promise<void> {
  await replaceBy(path, scratch, (temporary) => writeFile(temporary, content, { mode: 0o600 }));
}

async function replaceBy(
  path: string,
  scratch: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  for (const folder of new Set([dirname(path), scratch])) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  const temporary = temporaryName(scratch);
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/** As `replaceFile`, at once. */
export function replaceFileSync(path: string, content: string | Uint8Array, scratch = dirname(path)): void {
  for (const folder of new Set([dirname(path), scratch])) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = temporaryName(scratch);
  try {
    writeFileSync(temporary, content, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A fresh name in `folder` for what is under way; `removeAbandoned` clears it away should this process be killed. */
export function temporaryName(folder: string): string {
  return join(folder, `.tmp-${process.pid}-${randomBytes(6).toString('hex')}`);
}

/** Makes renames and new names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}
