import type { Descriptor } from '../../oci/descriptor.ts';
import { normalizePlatform, type Platform } from '../../oci/platform.ts';
import type { Image } from '../image.ts';

/** The platform that an image's config names. */
export function platformOf({ config }: Image): Platform {
  return normalizePlatform(config);
}

/**
 * The entries of an index that are its images: those with a platform, or the only one of an index without platforms.
 * Whatever else it lists (attestations, artifacts, images of others) may be in the store by another name, and gets none
 * by being listed. image-spec image-index.md.
 */
export function indexImages(entries: readonly Descriptor[]): readonly Descriptor[] {
  const images = entries.filter((entry) => !isAttestation(entry));
  if (new Set(images.map(({ digest }) => digest)).size === 1) return images;
  return images.filter(({ platform }) => platform !== undefined);
}

/** Buildkit lists its provenance among the images of an index. */
function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations?.['vnd.docker.reference.type'] !== undefined ||
    descriptor.platform?.os === 'unknown'
  );
}
