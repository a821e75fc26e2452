import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { OCI_INDEX } from '../../../src/oci/media-types.ts';
import type { Platform } from '../../../src/oci/platform.ts';
import type { Store } from '../../../src/store/store.ts';

/** Puts an index over manifests into a store, which need not be there themselves. */
export async function addIndex(
  store: Store,
  entries: readonly { readonly descriptor: Descriptor; readonly platform?: Platform | undefined }[],
): Promise<Descriptor> {
  const manifests = entries.map(({ descriptor, platform }) => ({ ...descriptor, platform }));
  const content = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const { digest, sizeBytes } = await store.blobs.put(content);
  return { mediaType: OCI_INDEX, digest, size: sizeBytes };
}
