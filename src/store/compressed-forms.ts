import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, wrapError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { parseDescriptor } from '../oci/parse-descriptor.ts';
import { temporaryName } from '../system/atomic-file.ts';
import type { HostPaths } from '../system/paths.ts';
import { digestFile } from './ref-path.ts';

/**
 * What is known of a layer's compressed forms, by diffID: so that a second push or save compresses nothing. A cache:
 * a file that is damaged counts as missing, and a form's blob may be gone.
 */
export interface CompressedForms {
  /** Layer descriptors (media type with compression, digest, size), without annotations. Empty: none is known. */
  list(diffId: Digest): Promise<readonly Descriptor[]>;
  /** Remembers a form. The caller has verified that it decompresses to `diffId`. Idempotent. */
  add(diffId: Digest, form: Descriptor): Promise<void>;
}

/** Forms as files `compressed/<algorithm>-<hex>` of one JSON list each. */
export class FileCompressedForms implements CompressedForms {
  readonly #folder: string;

  constructor(paths: HostPaths) {
    this.#folder = join(paths.root, 'compressed');
  }

  async list(diffId: Digest): Promise<readonly Descriptor[]> {
    const path = this.#path(diffId);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw wrapError(error, 'internal', `cannot read ${path}`);
    }
    try {
      const forms: unknown = JSON.parse(text);
      return Array.isArray(forms) ? forms.map((form) => parseDescriptor(form, 'a compressed form')) : [];
    } catch {
      return [];
    }
  }

  async add(diffId: Digest, form: Descriptor): Promise<void> {
    const { mediaType, digest, size } = form;
    const known = await this.list(diffId);
    if (hasForm(known, form)) return;
    // Neither locked nor fsynced: what two writers or a crash can lose is made again.
    const temporary = temporaryName(this.#folder);
    await writeFile(temporary, JSON.stringify([...known, { mediaType, digest, size }]), { mode: 0o600 });
    await rename(temporary, this.#path(diffId));
  }

  #path(diffId: Digest): string {
    return join(this.#folder, digestFile(diffId));
  }
}

function hasForm(forms: readonly Descriptor[], form: Descriptor): boolean {
  return forms.some(({ digest, mediaType }) => digest === form.digest && mediaType === form.mediaType);
}
