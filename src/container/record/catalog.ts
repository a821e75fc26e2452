import { mkdirSync, rmSync } from 'node:fs';
import { lstat, mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, isUnwritable, OcitsError } from '../../errors.ts';
import { temporaryName, writeFileAtomic } from '../../system/file/atomic-file.ts';
import { namesIfThere, namesIfThereSync, textIfThereSync } from '../../system/file/if-there.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import type { HostPaths } from '../../system/paths.ts';
import { containerFolder, containerLock, containersFolder, filesIn } from './folder.ts';
import { randomName } from './name.ts';
import { parseRecord } from './parse-record.ts';
import type { ContainerRecord } from './record.ts';

const ID = /^[0-9a-f]{64}$/;
const ID_START = /^[0-9a-f]{1,64}$/;
/** Names are symlinks to folders of containers. Only one process can make the link, and that one has the name. */
const NAMES = 'by-name';
const NAME_ATTEMPTS = 20;

/** All container IDs, in no order. */
export async function containerIds(paths: HostPaths): Promise<readonly string[]> {
  return namesIfThereSync(containersFolder(paths)).filter((name) => ID.test(name));
}

/**
 * The record of a container; undefined where there is none of that ID. One whose file is damaged or gone has a record
 * with `damage`, made of what else is there. Throws as `parseRecord`.
 */
export async function readContainer(paths: HostPaths, id: string): Promise<ContainerRecord | undefined> {
  const text = textIfThereSync(containerFolder(paths, id).spec);
  const record = text === undefined ? undefined : parseRecord(text);
  if (record !== undefined) return record;
  if (!(await exists(containerFolder(paths, id).folder))) return undefined;
  // A folder is there with its record from the first, so that one was lost.
  const { salvageRecord } = await import('./salvage-record.ts');
  return await salvageRecord(paths, id, (await namesOf(paths, id))[0]);
}

/** All containers, the newest first. */
export async function readContainers(paths: HostPaths): Promise<readonly ContainerRecord[]> {
  const records = await Promise.all((await containerIds(paths)).map((id) => readContainer(paths, id)));
  return records
    .filter((record) => record !== undefined)
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
}

/**
 * Finds a container by its ID, its name, or the beginning of its ID, in this order as Docker does. Throws `not-found`,
 * and `invalid-argument` where several IDs begin so.
 */
export async function findContainer(paths: HostPaths, nameOrId: string): Promise<ContainerRecord> {
  const byId = ID.test(nameOrId) ? await readContainer(paths, nameOrId) : undefined;
  if (byId !== undefined) return byId;
  const named = await idByName(paths, nameOrId.replace(/^\//, ''));
  const byName = named === undefined ? undefined : await readContainer(paths, named);
  if (byName !== undefined) return byName;
  const ids = ID_START.test(nameOrId)
    ? (await containerIds(paths)).filter((id) => id.startsWith(nameOrId))
    : [];
  if (ids.length > 1) {
    throw new OcitsError('invalid-argument', `several containers have an ID that begins with ${nameOrId}`, {
      hint: `give more digits: ${ids.map((id) => id.slice(0, 16)).join(', ')}`,
    });
  }
  const record = ids[0] === undefined ? undefined : await readContainer(paths, ids[0]);
  if (record !== undefined) return record;
  // Its link may be lost.
  const unlinked = (await readContainers(paths)).find(({ name }) => name === nameOrId.replace(/^\//, ''));
  if (unlinked !== undefined) return unlinked;
  throw new OcitsError('not-found', `No such container: ${nameOrId}`, { hint: 'see ocits ps --all' });
}

/**
 * Makes the folder of a new container, with its spec, so that it is visible whole or not at all. Without a name it
 * gets a random one that is free. Throws `already-exists` where the name is taken.
 */
export async function addContainer(
  paths: HostPaths,
  record: Omit<ContainerRecord, 'name'>,
  name: string | undefined,
): Promise<ContainerRecord> {
  const owner = containersFolder(paths);
  const temporary = temporaryName(owner);
  const files = filesIn(temporary);
  await mkdir(join(owner, NAMES), { recursive: true, mode: 0o700 });
  const taken = await takeName(paths, record.id, name);
  try {
    const complete: ContainerRecord = { ...record, name: taken };
    for (const folder of [temporary, files.writable, files.rootfs, files.etc])
      mkdirSync(folder, { mode: 0o700 });
    await writeSpec(files.spec, complete);
    await rename(temporary, containerFolder(paths, record.id).folder);
    return complete;
  } catch (error) {
    await removeTrees([temporary]);
    await dropName(paths, taken, record.id);
    throw error;
  }
}

/** One that is to last survives a crash of the machine; others would be cleared away after it anyway. */
async function writeSpec(path: string, record: ContainerRecord): Promise<void> {
  const text = `${JSON.stringify(record)}\n`;
  if (record.lifetime.autoRemove) await writeFile(path, text, { mode: 0o600 });
  else await writeFileAtomic(path, text);
}

/** Removes a container's folder and gives its names back. Idempotent. Nothing of it may be mounted or running. */
export async function deleteContainer(paths: HostPaths, { id, name }: ContainerRecord): Promise<void> {
  // Out of sight at once, whatever happens to the rest.
  const gone = temporaryName(containersFolder(paths));
  const { folder } = containerFolder(paths, id);
  await renameOrRemove(folder, gone);
  await Promise.all([dropName(paths, name, id), removeTrees([gone])]);
  // Whoever waits for the lock finds no container then, and no other container will have this ID.
  rmSync(containerLock(paths, id), { force: true });
}

/** A full disk may have no room for another name. */
async function renameOrRemove(path: string, name: string): Promise<void> {
  try {
    await rename(path, name);
  } catch (error) {
    if (isUnwritable(error)) await removeTrees([path]);
    else if (!isErrno(error, 'ENOENT')) throw error;
  }
}

async function takeName(paths: HostPaths, id: string, wanted: string | undefined): Promise<string> {
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    const name = wanted ?? randomName();
    const holder = await tryName(paths, name, id);
    if (holder === undefined) return name;
    if (wanted !== undefined) {
      throw new OcitsError(
        'already-exists',
        `the container name ${name} is in use by container ${holder.slice(0, 12)}`,
        {
          hint: `remove that container (ocits rm ${name}), or choose another name`,
        },
      );
    }
  }
  return await takeName(paths, id, `${randomName()}_${id.slice(0, 6)}`);
}

/** Undefined: the name is ours now; else who has it. */
async function tryName(paths: HostPaths, name: string, id: string): Promise<string | undefined> {
  const path = namePath(paths, name);
  for (;;) {
    try {
      await symlink(join('..', id), path);
      return undefined;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const holder = await idByName(paths, name);
    if (holder !== undefined && !(await isAbandoned(paths, name, holder))) return holder;
    await dropName(paths, name, holder);
  }
}

/** How long a container may take to appear after its name: the time to write one small file. */
const APPEARANCE_MS = 60_000;

/** Whether a name has pointed at nothing for long: the process that took it has died. */
async function isAbandoned(paths: HostPaths, name: string, id: string): Promise<boolean> {
  if (await exists(containerFolder(paths, id).folder)) return false;
  const link = await lstat(namePath(paths, name)).catch(() => undefined);
  return link !== undefined && Date.now() - link.mtimeMs > APPEARANCE_MS;
}

/** Gives back the names of an ID that no container has, and that none will ever have. */
export async function dropNamesOf(paths: HostPaths, id: string): Promise<void> {
  await Promise.all((await namesOf(paths, id)).map((name) => dropName(paths, name, id)));
}

async function namesOf(paths: HostPaths, id: string): Promise<string[]> {
  const names = await namesIfThere(join(containersFolder(paths), NAMES));
  const holders = await Promise.all(names.map((name) => idByName(paths, name)));
  return names.filter((_, index) => holders[index] === id);
}

/** Takes a name from `id`, or what is in a name's place and is none. */
async function dropName(paths: HostPaths, name: string, id: string | undefined): Promise<void> {
  const path = namePath(paths, name);
  const link = await lstat(path).catch(() => undefined);
  if (link === undefined) return;
  if (!link.isSymbolicLink()) await removeTrees([path]);
  else if ((await idByName(paths, name)) === id) await rm(path, { force: true });
}

async function idByName(paths: HostPaths, name: string): Promise<string | undefined> {
  if (name === '' || name.includes('/') || name.includes('\0')) return undefined;
  try {
    return (await readlink(namePath(paths, name))).slice('../'.length);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

function namePath(paths: HostPaths, name: string): string {
  return join(containersFolder(paths), NAMES, name);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
