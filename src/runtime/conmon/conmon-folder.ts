import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, isUnwritable } from '../../errors.ts';
import { namesIfThereSync } from '../../system/file/if-there.ts';
import type { HostPaths } from '../../system/paths.ts';
import type { ExitRecord } from '../supervisor.ts';

/** The log of a container under conmon, in its folder. */
export const LOG_FILE = 'log';
/** Where conmon says how the container ended: in its folder, a link to a folder in the run folder. */
const EXITS = 'conmon';
const OOM_FILE = 'oom';
const ID_DIGITS = 16;

/** The files that conmon makes for one container; all absolute. */
export interface ConmonFolder {
  /** In the run folder: a container often ends because its disk is full. */
  readonly exits: string;
  /** The link to it in the container's folder, by which it is found. */
  readonly exitsLink: string;
  readonly log: string;
  readonly conmonPid: string;
  /** Where conmon's sockets are found by short names, as a socket's path has at most 107 bytes. */
  readonly sockets: string;
  /** The container's name in there. */
  readonly socketId: string;
}

/** The paths; nothing is made. */
export function conmonFolder(paths: HostPaths, folder: string): ConmonFolder {
  const socketId = createHash('sha256').update(folder).digest('hex').slice(0, ID_DIGITS);
  return {
    exits: join(paths.run, 'exits', socketId),
    exitsLink: join(folder, EXITS),
    log: join(folder, LOG_FILE),
    conmonPid: join(folder, 'conmon-pid'),
    sockets: join(paths.run, 's'),
    socketId,
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
  symlinkSync(files.exits, files.exitsLink);
  mkdirSync(files.sockets, { recursive: true, mode: 0o700 });
  return files;
}

/** Removes what conmon leaves behind when it ends, except the log. Idempotent. */
export function removeConmonFiles(paths: HostPaths, folder: string): void {
  const { exits, exitsLink } = conmonFolder(paths, folder);
  removeConmonSockets(paths, folder);
  for (const path of [exitsLink, exits]) remove(path);
}

/** The same, except what conmon says of the container's end. */
export function removeConmonSockets(paths: HostPaths, folder: string): void {
  const { conmonPid, sockets, socketId } = conmonFolder(paths, folder);
  const left = [conmonPid, join(sockets, socketId)];
  for (const name of ['ctl', 'winsz', 'attach']) left.push(join(folder, 'bundle', name));
  for (const path of left) remove(path);
}

/** On a disk that takes no changes it stays, which harms nothing. */
function remove(path: string): void {
  try {
    // conmon may be writing its last file there just now.
    if (lstatSync(path).isDirectory()) rmSync(path, { recursive: true, maxRetries: 10, retryDelay: 10 });
    else unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isUnwritable(error)) throw error;
  }
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
