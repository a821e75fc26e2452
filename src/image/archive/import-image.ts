import { createReadStream } from 'node:fs';
import { stat, unlink, writeFile } from 'node:fs/promises';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isErrno, isOcitsError, OcitsError, wrapError } from '../../errors.ts';
import { boundedContent } from '../../layer/compress/bounded-content.ts';
import { describeFile } from '../../layer/compression-format.ts';
import type { LayerSource } from '../../layer/layer-change.ts';
import type { LayerVisitor } from '../../layer/layer-visitor.ts';
import { readLayer } from '../../layer/tar/read-layer.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { OCI_LAYER } from '../../oci/media-types.ts';
import { normalizePlatform, type Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import type { BlobInfo } from '../../store/blob-store.ts';
import type { Store } from '../../store/store.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { partialFolder } from '../../system/paths.ts';
import type { Image } from '../image.ts';
import { commitImage } from '../transfer/commit-image.ts';
import { type ArchiveInput, inputLabel } from './open-archive.ts';

export interface ImportOptions {
  readonly input: ArchiveInput;
  readonly platform: Platform;
  /** What `--change` makes of an empty config. */
  readonly config?: RunConfig | undefined;
  /** The history's comment. */
  readonly message: string;
  readonly created: Date;
  /** Undefined: the image has no name. */
  readonly reference?: Reference | undefined;
}

/**
 * Makes an image of one layer from the tar of a root file system, which may be compressed. The tar is read through
 * before the image gets its name. Throws `not-found`, `corrupt`, `hostile`, `unsupported`.
 */
export async function importImage(engine: Engine, { signal }: Call, options: ImportOptions): Promise<Image> {
  const store = await engine.store();
  await using _lease = await store.leases.shared(signal);
  const { digest, sizeBytes } = await storeTar(store, options.input, signal);
  const source = { path: store.blobs.path(digest), compression: 'none', sizeBytes } as const;
  await readThrough(source, inputLabel(options.input), signal);
  const created = options.created.toISOString();
  const config = {
    created,
    ...normalizePlatform(options.platform),
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created, comment: options.message }],
  } as const;
  const image = await commitImage(store, config, [{ mediaType: OCI_LAYER, digest, size: sizeBytes }]);
  if (options.reference === undefined) await store.refs.putAnonymous(image.manifestDescriptor);
  else await store.refs.put(options.reference, image.manifestDescriptor);
  return image;
}

/** Looks at all and keeps nothing: that it can be read is what counts. */
const NOBODY: LayerVisitor = { change: () => {}, data: () => {}, fileEnd: () => {} };

/** Throws as `readLayer`; what is wrong with the tar is said of the archive that was given. */
async function readThrough(source: LayerSource, label: string, signal: AbortSignal): Promise<void> {
  try {
    await readLayer(source, NOBODY, { signal });
  } catch (error) {
    if (!isOcitsError(error, 'corrupt', 'hostile')) throw error;
    throw new OcitsError(error.code, `${label} is not the tar of a root file system: ${error.message}`, {
      cause: error,
    });
  }
}

/** The tar as an uncompressed blob. */
async function storeTar(store: Store, input: ArchiveInput, signal: AbortSignal): Promise<BlobInfo> {
  const spool = temporaryName(partialFolder(store.paths.root));
  try {
    const path = await regularFile(input, spool, signal);
    const content = boundedContent(await describeFile(path, inputLabel(input)), { signal });
    const writer = await store.blobs.ingest({ signal });
    if ('exists' in writer) throw new OcitsError('internal', 'content without a digest cannot be there');
    await using _closed = writer;
    for await (const chunk of content) await writer.write(chunk);
    return await writer.commit();
  } catch (error) {
    throw wrapError(error, 'corrupt', `cannot read ${inputLabel(input)}`);
  } finally {
    await unlink(spool).catch(() => {});
  }
}

/** The input as a file that can be read twice. What is no such file (a pipe) is written to `spool`. */
async function regularFile(input: ArchiveInput, spool: string, signal: AbortSignal): Promise<string> {
  if ('path' in input) {
    const found = await stat(input.path).catch((cause: unknown) => {
      if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause;
      throw new OcitsError('not-found', `open ${input.path}: no such file or directory`, { cause });
    });
    if (found.isFile()) return input.path;
  }
  const stream = 'path' in input ? createReadStream(input.path) : input.stream;
  await writeFile(spool, stream, { mode: 0o600, signal });
  return spool;
}
