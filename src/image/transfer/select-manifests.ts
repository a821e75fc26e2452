import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import {
  completeImage,
  endlessIndexes,
  type ImageDocument,
  INDEX_DEPTH_LIMIT,
  type IndexDocument,
  indexImages,
  isImageManifest,
  isIndex,
  type ManifestDocument,
  readDocument,
  type WantedPlatform,
} from '../catalog/read-image.ts';
import type { ImageDocuments } from '../image-documents.ts';

/**
 * Which images of an index are wanted. `all`: whatever it lists, each of which must be there; `present`: the images
 * that the source has; `platform`: one.
 */
export type Selection =
  | { readonly kind: 'all' | 'present' }
  | ({ readonly kind: 'platform' } & WantedPlatform);

/** What is copied, parsed: an image, the manifest of what is no image, an index. */
export type CopyDocument = ImageDocument | ManifestDocument | IndexDocument;

/**
 * The manifests to copy, each followed by the indexes that list it and nothing after it: `root` comes last. Throws
 * `not-found`, `hostile` for indexes within indexes without end.
 */
export async function* selectManifests(
  documents: ImageDocuments,
  root: Descriptor,
  kind: 'all' | 'present',
): AsyncGenerator<CopyDocument, void, undefined> {
  if (kind === 'all') yield* all(documents, root, { seen: new Set(), depth: 0 });
  else yield* present(documents, root);
}

async function* all(
  documents: ImageDocuments,
  descriptor: Descriptor,
  { seen, depth }: { readonly seen: Set<Digest>; readonly depth: number },
): AsyncGenerator<CopyDocument, void, undefined> {
  // Each index is read once: one that lists the next a thousand times, which lists a third a thousand times, would take
  // for ever.
  if (seen.has(descriptor.digest)) return;
  seen.add(descriptor.digest);
  if (depth > INDEX_DEPTH_LIMIT) throw endlessIndexes(descriptor.digest);
  const document = await readDocument(documents, descriptor);
  if (document.kind === 'index') {
    for (const child of document.index.manifests) yield* all(documents, child, { seen, depth: depth + 1 });
    yield document;
  } else {
    yield isImageManifest(document.manifest) ? await completeImage(documents, document) : document;
  }
}

async function* present(
  documents: ImageDocuments,
  root: Descriptor,
): AsyncGenerator<CopyDocument, void, undefined> {
  const document = await readDocument(documents, root);
  if (document.kind === 'manifest') {
    yield await completeImage(documents, document);
    return;
  }
  const seen = new Set<Digest>();
  let found = 0;
  for (const child of indexImages(document.index.manifests)) {
    if (isIndex(child) || seen.has(child.digest)) continue;
    seen.add(child.digest);
    const manifest = await readDocument(documents, child).catch((error: unknown) => {
      if (isOcitsError(error, 'not-found')) return undefined;
      throw error;
    });
    if (manifest?.kind !== 'manifest') continue;
    found++;
    yield await completeImage(documents, manifest);
  }
  if (found === 0) throw new OcitsError('not-found', `none of the images of ${root.digest} is there`);
  yield document;
}
