import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { isErrno } from '../../errors.ts';

/** The names in a folder, in no order; none where there is no such folder. Other errors pass. */
export async function namesIfThere(folder: string): Promise<string[]> {
  return (await unlessMissing(readdir(folder))) ?? [];
}

/** As `namesIfThere`, at once. */
export function namesIfThereSync(folder: string): string[] {
  return unlessMissingSync(() => readdirSync(folder)) ?? [];
}

/** A file's text; undefined where there is no such file. Other errors pass. */
export async function textIfThere(path: string): Promise<string | undefined> {
  return await unlessMissing(readFile(path, 'utf8'));
}

/** As `textIfThere`, at once. */
export function textIfThereSync(path: string): string | undefined {
  return unlessMissingSync(() => readFileSync(path, 'utf8'));
}

async function unlessMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function unlessMissingSync<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
