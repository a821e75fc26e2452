import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, OcitsError } from '../errors.ts';
import { checkVolumeName } from '../options/volume-name.ts';
import { removeAbandoned } from '../system/file/abandoned.ts';
import { syncFolder, temporaryName, writeFileAtomic } from '../system/file/atomic-file.ts';
import { namesIfThere, textIfThere } from '../system/file/if-there.ts';
import { removeTrees } from '../system/file/remove-tree.ts';
import type { HostPaths } from '../system/paths.ts';
import { runTool } from '../system/process/spawn.ts';
import { withLock } from '../system/task/lock.ts';
import type { Volume, VolumeOptions, VolumeStore } from './volume.ts';

/** What `volume.json` holds. */
interface VolumeRecord {
  readonly createdAt: string;
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly madeFor?: string | undefined;
}

/** The volumes of the store at `paths`. Constructing it does nothing. */
export function createVolumeStore(paths: HostPaths): VolumeStore {
  return new FolderVolumeStore(paths);
}

/** Removes what killed processes have left half made or half deleted. */
export async function sweepVolumes({ root }: HostPaths): Promise<void> {
  await removeAbandoned(join(root, 'volumes'));
}

/** A name for an anonymous volume: 64 hex digits, as Docker's. */
export function anonymousVolumeName(): string {
  return randomBytes(32).toString('hex');
}

class FolderVolumeStore implements VolumeStore {
  readonly #folder: string;
  readonly #run: string;

  constructor({ root, run }: HostPaths) {
    this.#folder = join(root, 'volumes');
    this.#run = run;
  }

  async create(
    name: string,
    options: VolumeOptions = {},
  ): Promise<{ readonly volume: Volume; readonly isNew: boolean }> {
    checkVolumeName(name);
    const existing = await this.find(name);
    if (existing === undefined) {
      await this.#make(name, {
        createdAt: new Date().toISOString(),
        anonymous: options.anonymous ?? false,
        labels: options.labels ?? {},
        madeFor: options.madeFor,
      });
    }
    const volume = existing ?? (await this.find(name));
    if (volume === undefined)
      throw new OcitsError('not-found', `volume ${name} was removed while it was made`);
    return { volume, isNew: !(await this.#isFilled(name)) };
  }

  /** Whole or not at all: a finished folder takes the name. */
  async #make(name: string, record: VolumeRecord): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const temporary = temporaryName(this.#folder);
    await mkdir(temporary, { mode: 0o711 });
    try {
      await mkdir(join(temporary, 'data'), { mode: 0o755 });
      await writeFileAtomic(join(temporary, 'volume.json'), JSON.stringify(record));
      await rename(temporary, join(this.#folder, name));
      await syncFolder(this.#folder);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      // Somebody else has made it in the meantime.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }

  async find(name: string): Promise<Volume | undefined> {
    checkVolumeName(name);
    const folder = join(this.#folder, name);
    const path = join(folder, 'data');
    const text = await textIfThere(join(folder, 'volume.json'));
    const read = text === undefined ? undefined : parseRecord(text);
    const record = read ?? (await recordOf(path));
    return record && { ...record, name, path, createdAt: new Date(record.createdAt) };
  }

  async list(): Promise<readonly Volume[]> {
    const names = await namesIfThere(this.#folder);
    const visible = names.filter((name) => !name.startsWith('.')).sort();
    const volumes = await Promise.all(visible.map((name) => this.find(name)));
    return volumes.filter((volume) => volume !== undefined);
  }

  async fill(name: string, fill: (folder: string) => Promise<void>): Promise<void> {
    if (await this.#isFilled(name)) return;
    await withLock(this.#lock(name), { mode: 'exclusive' }, async () => {
      if (await this.#isFilled(name)) return;
      const data = join(this.#folder, name, 'data');
      const mark = this.#fillingMark(name);
      // The folder itself stays: a container may have it mounted, and would be left with a deleted one.
      if (await this.#isFilling(name)) await runTool('find', [data, '-xdev', '-mindepth', '1', '-delete']);
      await writeFileAtomic(mark, '', this.#folder);
      await fill(data);
      await unlink(mark);
    });
  }

  async remove(name: string): Promise<void> {
    const volume = await this.find(name);
    if (volume === undefined) throw noSuchVolume(name);
    const gone = temporaryName(this.#folder);
    try {
      await rename(join(this.#folder, name), gone);
    } catch (error) {
      // Somebody else has removed it in the meantime.
      throw isErrno(error, 'ENOENT') ? noSuchVolume(name) : error;
    }
    await removeTrees([gone]);
    // A random name never comes back, so nobody can hold its lock for another volume.
    if (volume.anonymous) await rm(this.#lock(name), { force: true });
  }

  #lock(name: string): string {
    return join(this.#run, 'locks', `volume-${name}`);
  }

  /** Whether anything is in it. A fill that has not ended does not count. */
  async #isFilled(name: string): Promise<boolean> {
    const [content, isFilling] = await Promise.all([
      readdir(join(this.#folder, name, 'data')),
      this.#isFilling(name),
    ]);
    return content.length > 0 && !isFilling;
  }

  /** Whether a fill has begun and not ended. Under the lock that means that a crash has ended it. */
  async #isFilling(name: string): Promise<boolean> {
    return (await textIfThere(this.#fillingMark(name))) !== undefined;
  }

  #fillingMark(name: string): string {
    return join(this.#folder, name, 'filling');
  }
}

/** Undefined where the text is damaged. */
function parseRecord(text: string): VolumeRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<VolumeRecord> | null;
    const isWhole = !Number.isNaN(Date.parse(record?.createdAt ?? '')) && typeof record?.labels === 'object';
    return isWhole ? (record as VolumeRecord) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stands in for a record that is damaged or gone: the data are the user's and still there. Taken for a named volume,
 * which no clearing up takes away. Undefined where there are no data either.
 */
async function recordOf(data: string): Promise<VolumeRecord | undefined> {
  const made = await stat(data).catch(() => undefined);
  return made && { createdAt: made.birthtime.toISOString(), anonymous: false, labels: {} };
}

function noSuchVolume(name: string): OcitsError {
  return new OcitsError('not-found', `no such volume: ${name}`);
}
