import type { Descriptor } from '../../oci/descriptor.ts';
import { normalizePlatform, type Platform } from '../../oci/platform.ts';
import type { Image } from '../image.ts';

/** The platform that an image's config names. */
export function platformOf({ config }: Image): Platform {
  return normalizePlatform(config);
}

/** Buildkit lists its provenance among the images of an index. */
export function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations?.['vnd.docker.reference.type'] !== undefined ||
    descriptor.platform?.os === 'unknown'
  );
}
