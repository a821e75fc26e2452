import {
  closeSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isErrno, OcitsError } from '../../../src/errors.ts';
import { decompress } from '../../../src/layer/compress/decompress.ts';
import { openIndexStore } from '../../../src/layer/index/index-store.ts';
import type { BytePath, FileEntry, LayerSource } from '../../../src/layer/layer-change.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { makeShortLink } from '../../../src/snapshotter/folder-form/short-link.ts';
import type { LayerForm, LayerToApply, UpperToAdopt } from '../../../src/snapshotter/layer-form.ts';
import { opaqueXattr } from '../../../src/snapshotter/overlayfs/overlay-xattrs.ts';
import { placesOf } from '../../../src/snapshotter/reading/open-stack.ts';
import { type LayerRecord, readRecord } from '../../../src/snapshotter/records/layer-record.ts';
import { loadStack } from '../../../src/snapshotter/records/layer-stack.ts';
import { MetadataStore } from '../../../src/snapshotter/records/metadata-store.ts';
import type { LayerFile } from '../../../src/snapshotter/snapshotter.ts';
import type { FormTools, LayerFormKind } from '../../../src/snapshotter/snapshotter-parts.ts';
import { getActiveState } from '../../../src/snapshotter/upper/active-state.ts';
import { diffUpper } from '../../../src/snapshotter/upper/diff-upper.ts';
import type { WorkOptions } from '../../../src/snapshotter/workers/worker-messages.ts';
import { removeTrees } from '../../../src/system/file/remove-tree.ts';
import { expandSparse } from './expand-sparse.ts';

type Below = NonNullable<LayerToApply['below']>;

/**
 * The plainest form in which a layer is one file: `layer.tar`, uncompressed, and `below.json` where it leans. It is read
 * in place, by the layer's index. To be mounted it is unpacked beside itself, into a folder that may go at any time.
 */
export const TARS: LayerFormKind = { name: 'tars', create: (tools) => new TarForm(tools) };

class TarForm implements LayerForm {
  readonly #tools: FormTools;
  readonly #unpacked = new Map<Digest, Promise<string>>();

  constructor(tools: FormTools) {
    this.#tools = tools;
  }

  /** Unpacks the layer once to see what it is, and keeps the tar. */
  async apply({ source, diffId, place, below }: LayerToApply, options: WorkOptions) {
    const trial = join(place, 'trial');
    const applied = await this.#unpack({ source, diffId, root: trial, below }, options);
    await removeTrees([trial]);
    await pipeline(decompress(source), createWriteStream(join(place, 'layer.tar')));
    if (below !== undefined && applied.leans) writeFileSync(join(place, 'below.json'), JSON.stringify(below));
    return applied;
  }

  shortName(key: Digest): string {
    return makeShortLink(this.#tools.snapshots.folder, key);
  }

  async lowers(layers: readonly LayerRecord[]) {
    for (const { key } of layers) await this.#folder(key);
    return { names: layers.map(({ link }) => link), mounts: [] };
  }

  treeOf(): undefined {}

  async openFile({ key, diffId }: LayerRecord, path: BytePath): Promise<LayerFile> {
    const file = await this.#find(diffId, path);
    const fd = openSync(this.#tar(key), 'r');
    if (file.sparse === undefined) return { fd, start: file.dataOffset, close: () => closeSync(fd) };
    const whole = expandSparse(fd, file, join(this.#tools.snapshots.folder, `whole-${process.pid}-${fd}`));
    closeSync(fd);
    return { fd: whole, start: 0, close: () => closeSync(whole) };
  }

  async adopt({ active, upper, place }: UpperToAdopt): Promise<void> {
    const { snapshots, userXattrs } = this.#tools;
    const tarPath = join(place, 'layer.tar');
    mkdirSync(place, { recursive: true });
    rmSync(tarPath, { force: true });
    const { parents } = getActiveState(active);
    const stack = await loadStack(new MetadataStore(snapshots, this), parents);
    await diffUpper({
      upper,
      tarPath,
      isReadOnly: true,
      targets: [],
      lower: placesOf(this, snapshots.storeRoot, stack),
      root: stack.root,
      opaqueXattr: opaqueXattr(userXattrs),
    });
    await removeTrees([upper]);
  }

  #tar(key: Digest): string {
    return join(this.#tools.snapshots.layer(key), 'layer.tar');
  }

  async #find(diffId: Digest, path: BytePath): Promise<FileEntry> {
    const index = await openIndexStore(this.#tools.snapshots.storeRoot).get(diffId);
    const position = index?.find(path) ?? -1;
    const entry = position < 0 ? undefined : index!.at(position);
    if (entry?.type === 'hardlink') return await this.#find(diffId, entry.target);
    if (entry?.type === 'file') return entry;
    throw new OcitsError('not-found', `the layer has no regular file ${path}`);
  }

  /** The folder of a layer that is mounted. */
  #folder(key: Digest): Promise<string> {
    const layer = this.#tools.snapshots.layer(key);
    const known = this.#unpacked.get(key);
    if (known !== undefined && existsSync(join(layer, 'fs'))) return known;
    const made = this.#unpackLayer(key, layer);
    this.#unpacked.set(key, made);
    return made;
  }

  async #unpackLayer(key: Digest, layer: string): Promise<string> {
    const folder = join(layer, 'fs');
    if (existsSync(folder)) return folder;
    const path = this.#tar(key);
    const { diffId } = readRecord(layer)!;
    const source = { path, compression: 'none', sizeBytes: 0 } as const;
    const leaning = join(layer, 'below.json');
    const below = existsSync(leaning) ? (JSON.parse(readFileSync(leaning, 'utf8')) as Below) : undefined;
    const root = `${folder}-${process.pid}`;
    await this.#unpack({ source, diffId, root, below }, {});
    try {
      renameSync(root, folder);
    } catch (error) {
      // Someone else was quicker.
      if (!isErrno(error, 'ENOTEMPTY')) throw error;
      await removeTrees([root]);
    }
    return folder;
  }

  async #unpack(
    layer: { source: LayerSource; diffId: Digest; root: string; below: Below | undefined },
    options: WorkOptions,
  ) {
    const { snapshots, userXattrs, pool } = this.#tools;
    const { below, ...job } = layer;
    const folders: string[] = [];
    for (const key of below?.keys ?? []) folders.push(await this.#folder(key));
    mkdirSync(layer.root, { mode: 0o700 });
    return await (await pool()).run(
      'unpack',
      {
        ...job,
        scratch: `${layer.root}-times`,
        lower: below && { storeRoot: snapshots.storeRoot, diffIds: below.diffIds, folders },
        whiteoutDevice: join(snapshots.folder, 'whiteout'),
        opaqueXattr: opaqueXattr(userXattrs),
        creator: { uid: 0, gid: 0, umask: process.umask() },
      },
      options,
    );
  }
}
