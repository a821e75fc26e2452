import { readFileSync } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, wrapError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestOf, isDigest } from '../oci/digest.ts';
import { JsonFields } from '../oci/json-fields.ts';
import { readDescriptor } from '../oci/parse-descriptor.ts';
import { replaceFile } from '../system/file/atomic-file.ts';
import { type HostPaths, partialFolder } from '../system/paths.ts';
import { digestFile } from './ref-path.ts';

/** What is known of a layer besides its diffID. */
export interface LayerForms {
  /** Layer descriptors (media type with compression, digest, size), without annotations. Their blobs may be gone. */
  readonly forms: readonly Descriptor[];
  /** The size of the uncompressed tar; undefined where nobody has read it yet. */
  readonly plainSizeBytes: number | undefined;
  /** What its files hold; undefined where nobody has counted it yet. */
  readonly contentBytes: number | undefined;
}

/**
 * What is known of layers' compressed forms, by diffID: so that a second push or save compresses nothing, and a list
 * of images knows how large they are. A cache: a file that is damaged counts as missing.
 */
export interface CompressedForms {
  get(diffId: Digest): Promise<LayerForms>;
  /**
   * Remembers a form, and the size of the uncompressed tar where it is given. The caller has verified that the form
   * decompresses to `diffId`. Idempotent.
   */
  add(diffId: Digest, form: Descriptor, plainSizeBytes?: number): Promise<void>;
  /** Remembers what the files of a layer hold. The caller has counted it in the layer itself. */
  addContentBytes(diffId: Digest, contentBytes: number): Promise<void>;
  delete(diffId: Digest): Promise<void>;
  /** All layers of which something is known. */
  diffIds(): Promise<readonly Digest[]>;
}

const UNKNOWN: LayerForms = { forms: [], plainSizeBytes: undefined, contentBytes: undefined };

/** Forms as files `compressed/<algorithm>-<hex>`. */
export class FileCompressedForms implements CompressedForms {
  readonly #folder: string;
  readonly #scratch: string;

  constructor(paths: HostPaths) {
    this.#folder = join(paths.root, 'compressed');
    this.#scratch = partialFolder(paths.root);
  }

  async get(diffId: Digest): Promise<LayerForms> {
    const path = this.#path(diffId);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return UNKNOWN;
      throw wrapError(error, 'internal', `cannot read ${path}`);
    }
    return parseForms(text, diffId) ?? UNKNOWN;
  }

  async add(diffId: Digest, form: Descriptor, plainSizeBytes?: number): Promise<void> {
    const { mediaType, digest, size } = form;
    const known = await this.get(diffId);
    const isKnown = known.forms.some((other) => other.digest === digest && other.mediaType === mediaType);
    const plain = plainSizeBytes ?? known.plainSizeBytes;
    if (isKnown && plain === known.plainSizeBytes) return;
    const forms = isKnown ? known.forms : [...known.forms, { mediaType, digest, size }];
    await this.#put(diffId, { ...known, forms, plainSizeBytes: plain });
  }

  async addContentBytes(diffId: Digest, contentBytes: number): Promise<void> {
    await this.#put(diffId, { ...(await this.get(diffId)), contentBytes });
  }

  /** Neither locked nor fsynced: what two writers or a crash can lose is made again. */
  async #put(diffId: Digest, known: LayerForms): Promise<void> {
    const text = JSON.stringify({ ...known, check: checkOf(diffId, known.plainSizeBytes) });
    await replaceFile(this.#path(diffId), text, this.#scratch);
  }

  async delete(diffId: Digest): Promise<void> {
    try {
      await unlink(this.#path(diffId));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  async diffIds(): Promise<readonly Digest[]> {
    const names = await readdir(this.#folder);
    return names.map((name) => name.replace('-', ':')).filter(isDigest);
  }

  #path(diffId: Digest): string {
    return join(this.#folder, digestFile(diffId));
  }
}

/** Shows that a size is the one that was written for that layer. */
function checkOf(diffId: Digest, plainSizeBytes: number | undefined): Digest {
  return digestOf(`${diffId} ${plainSizeBytes}`);
}

function parseForms(text: string, diffId: Digest): LayerForms | undefined {
  try {
    const fields = new JsonFields(JSON.parse(text), 'a record of compressed forms');
    const size = sizeOrUndefined(fields.value('plainSizeBytes'));
    return {
      forms: fields.list('forms', 'form', readDescriptor),
      plainSizeBytes: fields.value('check') === checkOf(diffId, size) ? size : undefined,
      contentBytes: sizeOrUndefined(fields.value('contentBytes')),
    };
  } catch {
    return undefined;
  }
}

function sizeOrUndefined(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}
