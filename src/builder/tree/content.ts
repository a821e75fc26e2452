import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { layerSource } from '../../image/catalog/layer-source.ts';
import { type IndexStore, openIndexStore } from '../../layer/index/index-store.ts';
import { createIndexBuilder, decodeIndex, type LayerIndex } from '../../layer/index/layer-index.ts';
import type { BytePath, LayerChange, LayerSource } from '../../layer/layer-change.ts';
import { type MergedEntry, type MergedTree, mergeIndexes } from '../../layer/merge/merged-tree.ts';
import { readLayer } from '../../layer/tar/read-layer.ts';
import { chainIds } from '../../oci/chain-id.ts';
import type { Digest } from '../../oci/digest.ts';
import { warning } from '../../progress.ts';
import type { Parents, SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { Store } from '../../store/store.ts';
import type { OpenSource } from '../source/copy-source.ts';
import { LayerOrder } from './layer-order.ts';
import { type Tree, type TreeLayer, treeChain } from './tree.ts';

/**
 * What is in trees: their layers' indexes and snapshots, made when something asks for them and not before. A tree
 * that is only named needs neither.
 */
export class TreeContent {
  readonly #engine: Engine;
  readonly #call: Call;
  readonly #store: Store;
  readonly indexes: IndexStore;
  readonly #merged = new Map<Digest, Promise<MergedTree>>();
  readonly #layerIndexes = new Map<Digest, Promise<LayerIndex>>();
  readonly #plain = new Map<Digest, Promise<string | undefined>>();
  /** By the chainID of the stack up to each. */
  readonly #snapshots = new Map<Digest, Promise<SnapshotKey>>();

  constructor(engine: Engine, call: Call, store: Store) {
    this.#engine = engine;
    this.#call = call;
    this.#store = store;
    this.indexes = openIndexStore(store.paths.root);
  }

  /** What the tree shows, by its layers' indexes; nothing is unpacked where they are there. */
  merged(tree: Tree, signal: AbortSignal): Promise<MergedTree> {
    return remember(this.#merged, treeChain(tree), async () => {
      const indexes: Promise<LayerIndex>[] = [];
      for (const [position, { diffId }] of tree.layers.entries()) {
        const below = indexes.slice();
        const lower = async () => mergeIndexes(await Promise.all(below));
        const index = remember(this.#layerIndexes, diffId, async () => {
          return (await this.indexes.get(diffId)) ?? (await this.#indexLayer(tree, position, lower, signal));
        });
        indexes.push(index);
      }
      return mergeIndexes(await Promise.all(indexes));
    });
  }

  /** The snapshots of all layers; those that are missing are unpacked, at the same time. */
  async parents(tree: Tree, signal: AbortSignal): Promise<Parents> {
    const chain = chainIds(tree.layers.map(({ diffId }) => diffId));
    if (!chain.every((id) => this.#snapshots.has(id))) await tree.fetch?.('unpacked', signal);
    const keys: Promise<SnapshotKey>[] = [];
    for (const [position, id] of chain.entries()) {
      const below = keys.slice();
      keys.push(remember(this.#snapshots, id, () => this.#unpack(tree, position, below, signal)));
    }
    const settled = await Promise.allSettled(keys);
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return await Promise.all(keys);
  }

  /**
   * A regular file of the tree, with symlinks followed inside it; undefined where there is none. Only a layer that is
   * compressed has to be unpacked for it. Throws `hostile` over `limitBytes`.
   */
  async readFile(
    tree: Tree,
    path: BytePath,
    limitBytes: number,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const found = (await this.merged(tree, signal)).lookup(path);
    if (found?.entry?.type !== 'file') return undefined;
    const { sizeBytes, dataOffset, sparse } = found.entry;
    if (sizeBytes > limitBytes) throw new OcitsError('hostile', `/${path} has ${sizeBytes} bytes`);
    const plain = sparse === undefined ? await this.#plainTar(tree.layers[found.layer]!) : undefined;
    if (plain !== undefined) return await readRange(plain, dataOffset, sizeBytes);
    const parents = await this.parents(tree, signal);
    return await (await this.#engine.snapshotter()).readFile({ parents }, path, limitBytes);
  }

  /**
   * Opens the content of a regular file that the tree shows: in place, where its layer's tar is plain, else in the
   * layer's snapshot.
   */
  async open(tree: Tree, { entry, layer }: MergedEntry, signal: AbortSignal): Promise<OpenSource> {
    if (entry?.type !== 'file') throw new OcitsError('internal', 'only a file can be opened');
    const plain = entry.sparse === undefined ? await this.#plainTar(tree.layers[layer]!) : undefined;
    if (plain !== undefined) {
      const fd = openSync(plain, 'r');
      return { fd, start: entry.dataOffset, close: () => closeSync(fd) };
    }
    const parents = await this.parents(tree, signal);
    return await (await this.#engine.snapshotter()).openFile(parents[layer]!, entry.path);
  }

  /** Takes note that a step has left the snapshot of the tree's last layer. */
  addSnapshot(tree: Tree, key: SnapshotKey): void {
    this.#snapshots.set(treeChain(tree), Promise.resolve(key));
  }

  /** The layer's uncompressed tar, where the store has it. */
  async #plainTar({ diffId }: TreeLayer): Promise<string | undefined> {
    let found = this.#plain.get(diffId);
    if (found === undefined) {
      const { blobs } = this.#store;
      found = blobs.stat(diffId).then((blob) => (blob === undefined ? undefined : blobs.path(diffId)));
      this.#plain.set(diffId, found);
    }
    return await found;
  }

  /** Lists a layer that is not unpacked; one whose order is odd is unpacked for it. */
  async #indexLayer(
    tree: Tree,
    position: number,
    lower: () => Promise<MergedTree>,
    signal: AbortSignal,
  ): Promise<LayerIndex> {
    await tree.fetch?.('layers', signal);
    const layer = tree.layers[position]!;
    const builder = createIndexBuilder();
    const order = new LayerOrder();
    const visitor = {
      change: (change: LayerChange) => {
        builder.add(change);
        order.note(change);
      },
      data: () => {},
      fileEnd: () => {},
    };
    const { diffId } = await readLayer(await this.#source(layer), visitor, { signal });
    if (diffId !== layer.diffId) {
      throw new OcitsError('digest-mismatch', `layer ${layer.descriptor.digest} has the diffID ${diffId}`);
    }
    if (await order.isPlain(lower)) {
      const bytes = builder.finish();
      await this.indexes.put(diffId, bytes);
      return decodeIndex(bytes);
    }
    await this.parents({ ...tree, layers: tree.layers.slice(0, position + 1) }, signal);
    const index = await this.indexes.get(diffId);
    if (index !== undefined) return index;
    throw new OcitsError('unsupported', `layer ${layer.descriptor.digest} lists its entries in an odd order`);
  }

  async #unpack(
    { layers }: Tree,
    position: number,
    parents: readonly Promise<SnapshotKey>[],
    signal: AbortSignal,
  ): Promise<SnapshotKey> {
    const diffIds = layers.slice(0, position + 1).map(({ diffId }) => diffId);
    const snapshotter = await this.#engine.snapshotter();
    const known = await snapshotter.stat(diffIds);
    if (known !== undefined) return known.key;
    const source = await this.#source(layers[position]!);
    const onWarning = (text: string) => this.#call.emit(warning(text));
    return await snapshotter.apply({ parents, diffIds, source, signal, onWarning });
  }

  #source({ descriptor, diffId }: TreeLayer): Promise<LayerSource> {
    return layerSource(this.#store, descriptor, diffId);
  }
}

async function readRange(path: string, start: number, length: number): Promise<Buffer> {
  await using file = await open(path, 'r');
  const content = Buffer.alloc(length);
  await file.read(content, 0, length, start);
  return content;
}

/** One piece of work a key, whoever asks first; a failure is forgotten. */
function remember<K, T>(known: Map<K, Promise<T>>, key: K, work: () => Promise<T>): Promise<T> {
  let result = known.get(key);
  if (result === undefined) {
    result = work();
    known.set(key, result);
    result.catch(() => known.delete(key));
  }
  return result;
}
