import { mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../errors.ts';
import { writeFileAtomic } from '../system/atomic-file.ts';
import type { ProcessIdentity } from '../system/process-identity.ts';
import type { NetworkAttachment } from './network.ts';

/** What is known of an attachment on this host, by all ocits processes of whatever store. */
export interface AttachmentRecord extends NetworkAttachment {
  readonly bridge: string;
  /** The store that it belongs to (`OCITS_ROOT`), and the process that asked for it. */
  readonly root: string;
  readonly owner: ProcessIdentity;
  /** For messages: the container's name. */
  readonly label?: string;
}

/** Records in a folder, one file each. To change or to decide by them, hold the network's lock. */
export class AttachmentRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<readonly AttachmentRecord[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
    const records = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.#read(join(this.#folder, name))),
    );
    return records.filter((record) => record !== undefined);
  }

  async find(id: string): Promise<AttachmentRecord | undefined> {
    return await this.#read(this.#path(id));
  }

  async put(record: AttachmentRecord): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#path(record.id), JSON.stringify(record));
  }

  async delete(id: string): Promise<void> {
    await unlink(this.#path(id)).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw error;
    });
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  async #read(path: string): Promise<AttachmentRecord | undefined> {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as AttachmentRecord;
    } catch (error) {
      // Given back by another process in between.
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}
