import { createHash } from 'node:crypto';
import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import { canonicalJson } from '../../oci/canonical-json.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestHex, finishDigest } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import { familiarName, formatReference, type Reference } from '../../oci/reference.ts';
import type { ManifestContent } from '../image-documents.ts';
import type { BlobSupply, ImageSink } from '../transfer/image-source.ts';
import { addBytes, type FileTarget } from './file-target.ts';

export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
export const DOCKER_MANIFEST_FILE = 'manifest.json';
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** containerd and Docker read the whole name from here, and only a tag from `REF_NAME`. */
export const CONTAINERD_NAME = 'io.containerd.image.name';

/** image-spec image-layout.md#blobs: where a blob lies in a layout. */
export function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** An OCI layout that images go to; `finish` writes what ties it together. */
export interface LayoutSink extends ImageSink {
  finish(): Promise<void>;
}

/**
 * image-spec image-layout.md: a sink that writes an OCI layout into `target`. Where `isDocker`, it also has the
 * `manifest.json` of `docker save`, as Docker's own archives do since version 25; layers should be uncompressed then.
 */
export function layoutSink(target: FileTarget, isDocker: boolean): LayoutSink {
  const entries: Descriptor[] = [];
  const dockerEntries: object[] = [];
  const putManifest = async ({ descriptor, content }: ManifestContent) =>
    await addBytes(target, blobName(descriptor.digest), content);
  return {
    concurrency: target.concurrency,
    takesPartialIndex: false,
    hasBlob: async ({ digest }) => await target.has(blobName(digest)),
    putBlob: async (supply, call) => {
      const { digest, size } = supply.descriptor;
      await target.add(blobName(digest), size, verified(supply, call));
      return { state: 'stored' };
    },
    putManifest,
    putRoot: async (root, names) => {
      await putManifest(root);
      entries.push(...indexEntries(root.descriptor, names));
      const parsed = parseManifestOrIndex(root.content, root.descriptor.mediaType);
      if (isDocker && parsed.kind === 'manifest') dockerEntries.push(dockerEntry(parsed.manifest, names));
    },
    finish: async () => {
      await writeIndex(target, entries);
      if (isDocker) await addBytes(target, DOCKER_MANIFEST_FILE, JSON.stringify(dockerEntries));
      await addBytes(target, LAYOUT_FILE, canonicalJson({ imageLayoutVersion: '1.0.0' }));
      await target.finish();
    },
  };
}

/** The bytes of a blob, held against its digest before the last of them counts. */
async function* verified(supply: BlobSupply, call: Call): AsyncGenerator<Uint8Array> {
  const { digest } = supply.descriptor;
  const algorithm = digestAlgorithm(digest);
  const hash = createHash(algorithm);
  const { body } = await supply.source.fetchBlob(supply.descriptor, 0, call);
  let bytes = 0;
  for await (const chunk of body) {
    call.signal.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
    supply.onBytes?.(bytes);
  }
  const found = finishDigest(algorithm, hash);
  if (found !== digest) {
    throw new OcitsError('digest-mismatch', `content that should be ${digest} is ${found}`);
  }
}

function indexEntries({ mediaType, digest, size }: Descriptor, names: readonly Reference[]): Descriptor[] {
  const plain = { mediaType, digest, size };
  if (names.length === 0) return [plain];
  return names.map((name) => {
    const full = formatReference(name);
    return { ...plain, annotations: { [CONTAINERD_NAME]: full, [REF_NAME]: full } };
  });
}

/** What is there already stays, except for names that have moved. */
async function writeIndex(target: FileTarget, entries: readonly Descriptor[]): Promise<void> {
  const existing = await target.readExisting(INDEX_FILE);
  const parsed = existing === undefined ? undefined : parseManifestOrIndex(existing, OCI_INDEX);
  const before = parsed?.kind === 'index' ? parsed.index.manifests : [];
  const isReplaced = (old: Descriptor) =>
    entries.some(
      (entry) =>
        entry.annotations?.[REF_NAME] === old.annotations?.[REF_NAME] &&
        (old.annotations?.[REF_NAME] !== undefined || entry.digest === old.digest),
    );
  const manifests = [...before.filter((old) => !isReplaced(old)), ...entries];
  await addBytes(target, INDEX_FILE, canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}

function dockerEntry(manifest: Manifest, names: readonly Reference[]): object {
  return {
    Config: blobName(manifest.config.digest),
    RepoTags: names.length === 0 ? null : names.map(familiarName),
    Layers: manifest.layers.map(({ digest }) => blobName(digest)),
  };
}
