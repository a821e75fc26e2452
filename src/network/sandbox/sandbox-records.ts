import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeAbandoned } from '../../system/file/abandoned.ts';
import { replaceFile } from '../../system/file/atomic-file.ts';
import { namesIfThere, textIfThere } from '../../system/file/if-there.ts';
import type { ProcessIdentity } from '../../system/process/process-identity.ts';
import type { NetworkAttachment } from '../network.ts';

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
    const names = await namesIfThere(this.#folder);
    const records = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.#read(join(this.#folder, name))),
    );
    return records.filter((record) => record !== undefined);
  }

  async find(id: string): Promise<AttachmentRecord | undefined> {
    return await this.#read(this.#path(id));
  }

  async put(record: AttachmentRecord): Promise<void> {
    // No namespace and no rule outlives the boot, so neither need the record.
    await replaceFile(this.#path(record.id), JSON.stringify(record));
  }

  async delete(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  /** Removes what processes that were killed have half written. */
  async sweep(): Promise<void> {
    await removeAbandoned(this.#folder);
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  async #read(path: string): Promise<AttachmentRecord | undefined> {
    const text = await textIfThere(path);
    return text === undefined ? undefined : (JSON.parse(text) as AttachmentRecord);
  }
}
