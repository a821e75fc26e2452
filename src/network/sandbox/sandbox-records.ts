/**
 * The room of sandboxes: the network namespace that is kept by a mount, and the record by which every process of this
 * host knows it. The controller calls it, and the driver of bridges runs programs in a namespace. A record is written
 * before the namespace is made, so nothing is left that nobody knows.
 *
 *     const records = new SandboxRecords(attachmentsFolder(settings));
 *     await records.put({ version: 2, id, path, endpoints, root: paths.root, owner: ownIdentity() });
 *     await makeNamespace(path, signal);
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeAbandoned } from '../../system/file/abandoned.ts';
import { replaceFile } from '../../system/file/atomic-file.ts';
import { namesIfThere, textIfThere } from '../../system/file/if-there.ts';
import { parseSandboxRecord, type SandboxRecord } from './sandbox-record.ts';

/** Records in a folder, one file each. To change or to decide by them, hold the lock of networks. */
export class SandboxRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws `unsupported` where a newer ocits has written one: what that holds would be given out again. */
  async list(): Promise<readonly SandboxRecord[]> {
    const names = await namesIfThere(this.#folder);
    const records = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.#read(join(this.#folder, name))),
    );
    return records.filter((record) => record !== undefined);
  }

  async find(id: string): Promise<SandboxRecord | undefined> {
    return await this.#read(this.#path(id));
  }

  async put(record: SandboxRecord): Promise<void> {
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

  async #read(path: string): Promise<SandboxRecord | undefined> {
    const text = await textIfThere(path);
    return text === undefined ? undefined : parseSandboxRecord(text);
  }
}
