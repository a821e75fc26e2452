import { canonicalJson } from '../../oci/canonical-json.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import type { ManifestContent } from '../image-documents.ts';

/**
 * Stores config and manifest of an image made here, and returns it. `layers` are the descriptors of the layers in the
 * order of the config's diffIDs: uncompressed tars that are in the store, and layers of a base as their manifest has
 * them. The same config and layers give the same digests. The caller holds a lease until the image has a name.
 */
export async function commitImage(
  store: Store,
  config: ImageConfig,
  layers: readonly Descriptor[],
): Promise<Image> {
  const { digest, sizeBytes } = await store.blobs.put(canonicalJson(config));
  const manifest = imageManifest({ mediaType: OCI_CONFIG, digest, size: sizeBytes }, layers);
  const { descriptor, content } = encodeManifest(manifest);
  await store.blobs.put(content);
  return { id: digest, manifestDescriptor: descriptor, manifest, config };
}

export function imageManifest(config: Descriptor, layers: readonly Descriptor[]): Manifest {
  return { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
}

/** The bytes of an OCI manifest, and the descriptor that points at them. */
export function encodeManifest(manifest: Manifest): ManifestContent {
  const content = Buffer.from(canonicalJson(manifest));
  const descriptor = { mediaType: OCI_MANIFEST, digest: digestOf(content), size: content.length };
  return { descriptor, content };
}
