import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { OcitsError } from '../../errors.ts';
import type { LayerIndex } from '../../layer/index/layer-index.ts';
import { chainIds } from '../../oci/chain-id.ts';
import type { Digest } from '../../oci/digest.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { namesIfThereSync } from '../../system/file/if-there.ts';
import { readBootId } from '../../system/process/boot-id.ts';
import { runTool } from '../../system/process/spawn.ts';
import { isDurable, type LayerRecord, markDurable, readRecord } from './layer-record.ts';
import type { SnapshotRoot } from './snapshot-root.ts';

const LAYER_NAME = /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/;
const S_IFMT = 0o170000;

/**
 * Finds unpacked layers that can be trusted. Their files are not synced one by one: a layer of an earlier boot that
 * no `sync` has marked is held against its index, and thrown away where something is missing.
 */
export class MetadataStore {
  readonly #snapshots: SnapshotRoot;
  #bootId: string | undefined;

  constructor(snapshots: SnapshotRoot) {
    this.#snapshots = snapshots;
  }

  get bootId(): string {
    this.#bootId ??= readBootId();
    return this.#bootId;
  }

  /** The last layer of a stack, under either name that it may have. */
  async findIn(diffIds: readonly Digest[]): Promise<LayerRecord | undefined> {
    const diffId = diffIds.at(-1);
    const chainId = chainIds(diffIds).at(-1);
    if (diffId === undefined || chainId === undefined) return undefined;
    const own = await this.find(diffId);
    if (own !== undefined && (!own.leans || diffId === chainId)) return own;
    return diffId === chainId ? undefined : await this.find(chainId);
  }

  async find(key: Digest): Promise<LayerRecord | undefined> {
    const folder = this.#snapshots.layer(key);
    const record = readRecord(folder);
    if (record === undefined) return undefined;
    if (record.bootId === this.bootId || isDurable(folder)) return record;
    const { openIndexStore } = await import('../../layer/index/index-store.ts');
    const index = await openIndexStore(this.#snapshots.storeRoot).get(record.diffId);
    if (index !== undefined && isComplete(this.#snapshots.tree(key), index)) {
      markDurable(folder);
      return record;
    }
    await this.#snapshots.delete(await this.#snapshots.discard(folder));
    return undefined;
  }

  /** Throws `not-found`. */
  async get(key: Digest): Promise<LayerRecord> {
    const record = await this.find(key);
    if (record !== undefined) return record;
    throw new OcitsError('not-found', `the layer ${key} is not unpacked`, { hint: 'pull the image again' });
  }

  /** All layers that are there, trusted or not. */
  *list(): Generator<LayerRecord> {
    for (const folder of this.#folders()) {
      const record = readRecord(folder);
      if (record !== undefined) yield record;
    }
  }

  /** The folders of layers whose record is of no use, as after a crash: nobody can use those any more. */
  withoutRecord(): string[] {
    return this.#folders().filter((folder) => readRecord(folder) === undefined);
  }

  /** Has the kernel write all that it still holds of unpacked layers, and marks them; one call for many layers. */
  async sync(): Promise<void> {
    // Only this boot's own: what was lost in an earlier one, no sync brings back.
    const unmarked = this.#folders().filter(
      (folder) => !isDurable(folder) && readRecord(folder)?.bootId === this.bootId,
    );
    if (unmarked.length === 0) return;
    await runTool('sync', ['--file-system', '--', this.#snapshots.folder]);
    for (const folder of unmarked) markDurable(folder);
  }

  #folders(): string[] {
    const { folder } = this.#snapshots;
    return namesIfThereSync(folder)
      .filter((name) => LAYER_NAME.test(name))
      .map((name) => join(folder, name));
  }
}

/** Whether each entry is there with its type and, for files, its size: what a crash before the write-back cuts. */
function isComplete(tree: string, index: LayerIndex): boolean {
  const prefix = Buffer.from(tree).toString('latin1');
  for (let position = 0; position < index.count; position++) {
    const change = index.at(position);
    if (change.type === 'opaque' || change.type === 'whiteout') continue;
    if (index.find(change.path) !== position) continue;
    const stat = lstatSync(nativePath(`${prefix}/${change.path}`), { throwIfNoEntry: false });
    if (stat === undefined) return false;
    if (change.type === 'hardlink') continue;
    if ((stat.mode & S_IFMT) !== FILE_TYPES[change.type]) return false;
    if (change.type === 'file' && stat.size !== change.sizeBytes) return false;
  }
  return true;
}

const FILE_TYPES = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const;
