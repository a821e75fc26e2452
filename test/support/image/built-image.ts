import { commitImage } from '../../../src/image/transfer/commit-image.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { OCI_LAYER } from '../../../src/oci/media-types.ts';
import { hostPlatform } from '../../../src/oci/platform.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { TestHost } from './test-host.ts';

/** An image as a build leaves it: layers as plain tars, on top of those of a base. */
export async function build(
  host: TestHost,
  name: string,
  tars: readonly Buffer[],
  base: readonly BuiltLayer[] = [],
) {
  const layers = [...base];
  for (const tar of tars) {
    const { digest, sizeBytes } = await host.store.blobs.put(tar);
    layers.push({ descriptor: { mediaType: OCI_LAYER, digest, size: sizeBytes }, diffId: digest });
  }
  const config = {
    ...hostPlatform(),
    rootfs: { type: 'layers' as const, diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const image = await commitImage(
    host.store,
    config,
    layers.map(({ descriptor }) => descriptor),
  );
  await host.store.refs.put(parseReference(name), image.manifestDescriptor);
  return image;
}

/** A layer as a manifest and a config have it. */
export interface BuiltLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}
