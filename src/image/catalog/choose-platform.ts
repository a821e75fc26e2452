import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { formatPlatform, hostPlatform, matchPlatforms, type Platform } from '../../oci/platform.ts';
import { warning } from '../../progress.ts';
import type { Image } from '../image.ts';
import { isAttestation, platformOf } from './choose-image.ts';

export interface WantedPlatform {
  /** The host's where none is given; then an image that is not in an index may have any. */
  readonly platform: Platform | undefined;
  /** What errors call the image. */
  readonly name: string;
}

/** The entry of an index for the platform. Throws `wrong-platform` with what there is. */
export function choosePlatform(
  entries: readonly Descriptor[],
  { name, platform }: WantedPlatform,
): Descriptor {
  const images = entries.filter((entry) => !isAttestation(entry));
  const wanted = platform ?? hostPlatform();
  const [best] = matchPlatforms(images, wanted);
  if (best !== undefined) return best;
  // An index without platforms says nothing against its only image.
  const [only] = images;
  if (images.length === 1 && only?.platform === undefined && only !== undefined) return only;
  const offered = images.flatMap((entry) =>
    entry.platform === undefined ? [] : [formatPlatform(entry.platform)],
  );
  throw wrongPlatform(name, wanted, [...new Set(offered)]);
}

/** An image outside an index is for one platform, which its config names: throws `wrong-platform`, or warns. */
export function checkPlatform(image: Image, { name, platform }: WantedPlatform, { emit }: Call): void {
  const own = platformOf(image);
  const wanted = platform ?? hostPlatform();
  if (matchPlatforms([{ platform: own }], wanted).length > 0) return;
  if (platform !== undefined) throw wrongPlatform(name, wanted, [formatPlatform(own)]);
  emit(warning(`${name} is for ${formatPlatform(own)}, and this host is ${formatPlatform(wanted)}`));
}

function wrongPlatform(name: string, wanted: Platform, offered: readonly string[]): OcitsError {
  const [first] = offered;
  const there = offered.length === 0 ? 'no image' : offered.join(', ');
  const hint =
    first === undefined ? undefined : `choose one of these with --platform, such as --platform ${first}`;
  const text = `${name} has no image for ${formatPlatform(wanted)}; there is ${there}`;
  return new OcitsError('wrong-platform', text, { hint });
}
