import { normalizePlatform, type Platform } from '../../oci/platform.ts';
import type { Image } from '../image.ts';

/** The platform that an image's config names. */
export function platformOf({ config }: Image): Platform {
  return normalizePlatform(config);
}
