import { join } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { chainIds } from '../../oci/chain-id.ts';
import type { Digest } from '../../oci/digest.ts';
import { namesIfThereSync } from '../../system/file/if-there.ts';
import { readBootId } from '../../system/process/boot-id.ts';
import { runTool } from '../../system/process/spawn.ts';
import { canVerify, type LayerForm } from '../layer-form.ts';
import { isDurable, type LayerRecord, markDurable, readRecord } from './layer-record.ts';
import type { SnapshotRoot } from './snapshot-root.ts';

const LAYER_NAME = /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/;

/**
 * The room of records: which layers there are, what is known of each, and how one comes to be there at once and whole.
 * The rooms of upper directories and of reading call it, and the snapshotter's front.
 *
 *     const record = await metadata.findIn(diffIds);
 *     const { layers, root } = await loadStack(metadata, keys);
 *
 * Finds layers that can be trusted. Their files are not synced one by one: a layer of an earlier boot that no `sync` has
 * marked is held against its index by its form, and thrown away where something is missing.
 */
export class MetadataStore {
  readonly #snapshots: SnapshotRoot;
  readonly #form: LayerForm;
  #bootId: string | undefined;

  constructor(snapshots: SnapshotRoot, form: LayerForm) {
    this.#snapshots = snapshots;
    this.#form = form;
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
    if (await this.#isComplete(record)) {
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
    // Only layers of this boot: no sync brings back what an earlier one has lost.
    const unmarked = this.#folders().filter(
      (folder) => !isDurable(folder) && readRecord(folder)?.bootId === this.bootId,
    );
    if (unmarked.length === 0) return;
    await runTool('sync', ['--file-system', '--', this.#snapshots.folder]);
    for (const folder of unmarked) markDurable(folder);
  }

  async #isComplete({ key, diffId }: LayerRecord): Promise<boolean> {
    if (!canVerify(this.#form)) return false;
    const { openIndexStore } = await import('../../layer/index/index-store.ts');
    const index = await openIndexStore(this.#snapshots.storeRoot).get(diffId);
    return index !== undefined && this.#form.isComplete(key, index);
  }

  #folders(): string[] {
    const { folder } = this.#snapshots;
    return namesIfThereSync(folder)
      .filter((name) => LAYER_NAME.test(name))
      .map((name) => join(folder, name));
  }
}
