import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../errors.ts';
import { namesIfThereSync } from '../../system/file/if-there.ts';
import type { HostPaths } from '../../system/paths.ts';
import type { ExitRecord } from '../supervisor.ts';

/** The log of a container under conmon, in its folder. */
export const LOG_FILE = 'log';
/** Where conmon says how the container ended, in its folder. */
const EXITS = 'conmon';
const OOM_FILE = 'oom';
const ID_DIGITS = 16;

/** The files that conmon makes for one container; all absolute. */
export interface ConmonFolder {
  readonly exits: string;
  readonly log: string;
  readonly conmonPid: string;
  /** Where conmon's sockets are found by short names, as a socket's path has at most 107 bytes. */
  readonly sockets: string;
  /** The container's name in there. */
  readonly socketId: string;
}

/** The paths; nothing is made. */
export function conmonFolder(paths: HostPaths, folder: string): ConmonFolder {
  return {
    exits: join(folder, EXITS),
    log: join(folder, LOG_FILE),
    conmonPid: join(folder, 'conmon-pid'),
    sockets: join(paths.run, 's'),
    socketId: createHash('sha256').update(folder).digest('hex').slice(0, ID_DIGITS),
  };
}

/** The socket by which a container's standard input is reached. */
export function attachSocket(paths: HostPaths, folder: string): string {
  const { sockets, socketId } = conmonFolder(paths, folder);
  return join(sockets, socketId, 'attach');
}

/** Makes the folders, and removes what an earlier conmon has left, except the log. */
export function prepareConmonFolder(paths: HostPaths, folder: string): ConmonFolder {
  const files = conmonFolder(paths, folder);
  removeConmonFiles(paths, folder);
  mkdirSync(files.exits, { recursive: true, mode: 0o700 });
  mkdirSync(files.sockets, { recursive: true, mode: 0o700 });
  return files;
}

/** Removes what conmon leaves behind when it ends, except the log. Idempotent. */
export function removeConmonFiles(paths: HostPaths, folder: string): void {
  const { exits, conmonPid, sockets, socketId } = conmonFolder(paths, folder);
  const left = [exits, conmonPid, join(sockets, socketId)];
  for (const name of ['ctl', 'winsz', 'attach']) left.push(join(folder, 'bundle', name));
  // conmon may be writing its last file there just now.
  for (const path of left) rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}

/** conmon writes its files under names such as `exit.1B2C3D` first. */
const UNFINISHED = /\.\w{6}$/;

/** How the container ended, by what conmon has left; undefined where it has not. */
export function conmonExit(folder: string): ExitRecord | undefined {
  const exits = join(folder, EXITS);
  const names = namesIfThereSync(exits);
  // One is named after the container; later versions also write one called `exit`.
  const name = names.find((each) => each !== OOM_FILE && !UNFINISHED.test(each));
  if (name === undefined) return undefined;
  try {
    const path = join(exits, name);
    const text = readFileSync(path, 'latin1').trim();
    if (!/^-?\d+$/.test(text)) return undefined;
    const oomKilled = names.includes(OOM_FILE);
    return { exitCode: Number(text) & 0xff, oomKilled, finishedAt: statSync(path).mtime.toISOString() };
  } catch (error) {
    // Cleared away since its folder was read: by now `exit.json` says it.
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
