import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { OcitsError } from '../errors.ts';
import type { ImageHost } from '../image/image.ts';
import { layerSource } from '../image/unpack.ts';
import { type IndexStore, openIndexStore } from '../layer/index-store.ts';
import type { BytePath, LayerChange, LayerSource } from '../layer/layer-change.ts';
import { createIndexBuilder, decodeIndex, type LayerIndex } from '../layer/layer-index.ts';
import { type MergedEntry, type MergedTree, mergeIndexes } from '../layer/merged-tree.ts';
import { readLayer } from '../layer/read-layer.ts';
import type { Digest } from '../oci/digest.ts';
import { warning } from '../progress.ts';
import type { Parents, SnapshotKey } from '../snapshotter/snapshotter.ts';
import type { OpenSource } from './copy-source.ts';
import { type Tree, type TreeLayer, treeChain } from './tree.ts';

/**
 * What is in trees: their layers' indexes and snapshots, made when something asks for them and not before. A tree
 * that is only named needs neither.
 */
export class TreeContent {
  readonly #host: ImageHost;
  readonly indexes: IndexStore;
  readonly #merged = new Map<Digest, Promise<MergedTree>>();
  readonly #plain = new Map<Digest, Promise<string | undefined>>();
  readonly #parents = new Map<Digest, Promise<Parents>>();

  constructor(host: ImageHost) {
    this.#host = host;
    this.indexes = openIndexStore(host.store.paths.root);
  }

  /** What the tree shows, by its layers' indexes; nothing is unpacked where they are there. */
  merged(tree: Tree, signal: AbortSignal): Promise<MergedTree> {
    return remember(this.#merged, treeChain(tree), async () => {
      const indexes = tree.layers.map(async (layer) => {
        return (await this.indexes.get(layer.diffId)) ?? (await this.#indexLayer(tree, layer, signal));
      });
      return mergeIndexes(await Promise.all(indexes));
    });
  }

  /** The snapshots of all layers, unpacked where they were not. */
  parents(tree: Tree, signal: AbortSignal): Promise<Parents> {
    return remember(this.#parents, treeChain(tree), () => this.#unpack(tree, signal));
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
    return await this.#host.snapshotter.readFile({ parents }, path, limitBytes);
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
    const file = await this.#host.snapshotter.openFile(parents[layer]!, entry.path);
    return { fd: file.fd, close: () => file.close() };
  }

  /** Takes note that a step has left the snapshot of the tree's last layer. */
  addSnapshot(tree: Tree, below: Parents, key: SnapshotKey): void {
    this.#parents.set(treeChain(tree), Promise.resolve([...below, key]));
  }

  /** The layer's uncompressed tar, where the store has it. */
  async #plainTar({ diffId }: TreeLayer): Promise<string | undefined> {
    let found = this.#plain.get(diffId);
    if (found === undefined) {
      const { blobs } = this.#host.store;
      found = blobs.stat(diffId).then((blob) => (blob === undefined ? undefined : blobs.path(diffId)));
      this.#plain.set(diffId, found);
    }
    return await found;
  }

  async #indexLayer(tree: Tree, layer: TreeLayer, signal: AbortSignal): Promise<LayerIndex> {
    await tree.fetch?.('layers', signal);
    const builder = createIndexBuilder();
    const visitor = {
      change: (change: LayerChange) => builder.add(change),
      data: () => {},
      fileEnd: () => {},
    };
    const { diffId } = await readLayer(await this.#source(layer), visitor, { signal });
    if (diffId !== layer.diffId) {
      throw new OcitsError('digest-mismatch', `layer ${layer.descriptor.digest} has the diffID ${diffId}`);
    }
    const bytes = builder.finish();
    await this.indexes.put(diffId, bytes);
    return decodeIndex(bytes);
  }

  async #unpack(tree: Tree, signal: AbortSignal): Promise<Parents> {
    const last = tree.layers.at(-1);
    if (last === undefined) return [];
    await tree.fetch?.('unpacked', signal);
    const below = await this.parents({ ...tree, layers: tree.layers.slice(0, -1) }, signal);
    const diffIds = tree.layers.map(({ diffId }) => diffId);
    const known = await this.#host.snapshotter.stat(diffIds);
    return [...below, known?.key ?? (await this.#apply(last, below, diffIds, signal))];
  }

  async #apply(
    layer: TreeLayer,
    parents: Parents,
    diffIds: readonly Digest[],
    signal: AbortSignal,
  ): Promise<SnapshotKey> {
    const onWarning = (text: string) => this.#host.emit(warning(text));
    return await this.#host.snapshotter.apply({
      parents,
      diffIds,
      source: await this.#source(layer),
      signal,
      onWarning,
    });
  }

  #source({ descriptor, diffId }: TreeLayer): Promise<LayerSource> {
    return layerSource(this.#host.store, descriptor, diffId);
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
