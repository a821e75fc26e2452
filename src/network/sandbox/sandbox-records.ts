/**
 * The room of sandboxes: the network namespace that is kept by a mount, and the record by which every process of this
 * host knows it. The controller calls it, and the driver of bridges runs programs in a namespace. A record is written
 * before the namespace is made, so nothing is left that nobody knows.
 *
 *     const records = new SandboxRecords(attachmentsFolder(settings), namespaces, recover);
 *     await records.put({ version: 2, id, path, endpoints, root: paths.root, owner: ownIdentity() });
 *     await makeNamespace(path, signal);
 */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeAbandoned } from '../../system/file/abandoned.ts';
import { replaceFile } from '../../system/file/atomic-file.ts';
import { namesIfThere, textIfThere } from '../../system/file/if-there.ts';
import { parseSandboxRecord, type SandboxRecord } from './sandbox-record.ts';

/** Records in a folder, one file each. To change or to decide by them, hold the lock of networks. */
export class SandboxRecords {
  readonly #folder: string;
  readonly #namespaces: string;
  readonly #recover: (id: string) => Promise<SandboxRecord>;

  /** `namespaces` has those that are kept, by their IDs. `recover` gives what stands in for a damaged record. */
  constructor(folder: string, namespaces: string, recover: (id: string) => Promise<SandboxRecord>) {
    this.#folder = folder;
    this.#namespaces = namespaces;
    this.#recover = recover;
  }

  /** Throws `unsupported` where a newer ocits has written one: what that holds would be given out again. */
  async list(): Promise<readonly SandboxRecord[]> {
    const [names, kept] = await Promise.all([namesIfThere(this.#folder), namesIfThere(this.#namespaces)]);
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const records = await Promise.all([...new Set([...ids, ...kept])].map((id) => this.find(id)));
    return records.filter((record) => record !== undefined);
  }

  async find(id: string): Promise<SandboxRecord | undefined> {
    const text = await textIfThere(this.#path(id));
    const record = text === undefined ? undefined : parseSandboxRecord(text);
    if (record !== undefined) return record;
    // A namespace is made after its record, and goes before it.
    const isLost = text !== undefined || existsSync(join(this.#namespaces, id));
    return isLost ? await this.#recover(id) : undefined;
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
}
