import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isIndexType } from '../../oci/media-types.ts';
import { CONFIG_LIMIT_BYTES } from '../../oci/parse-image-config.ts';
import { parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import { formatPlatform, hostPlatform, matchPlatforms, type Platform } from '../../oci/platform.ts';
import { familiarName, type Reference } from '../../oci/reference.ts';
import { warning } from '../../progress.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { Store } from '../../store/store.ts';
import { INDEX_DEPTH_LIMIT, isAttestation, platformOf } from '../catalog/choose-image.ts';
import { checkImageManifest, readImage, readIndex, readManifest } from '../catalog/read-image.ts';
import type { Image } from '../image.ts';
import { fetchSmallBlob } from './fetch-blob.ts';

const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;

export interface ImageRequest {
  readonly reference: Reference;
  /** The host's platform where none is given; then an image that is not in an index may have any. */
  readonly platform?: Platform | undefined;
}

/**
 * The image of `root` for the platform, with its index, manifest and config in the store, none of them fetched twice;
 * no layer is. Throws `wrong-platform` with what there is, `unsupported` for Docker's schema 1 and artifacts,
 * `hostile`, and what the registry throws.
 */
export async function fetchImage(
  store: Store,
  call: Call,
  client: RepositoryClient,
  root: Descriptor,
  request: ImageRequest,
): Promise<Image> {
  let descriptor = root;
  for (let depth = 0; isIndexType(descriptor.mediaType); depth++) {
    if (depth >= INDEX_DEPTH_LIMIT) {
      throw new OcitsError(
        'hostile',
        `${familiarName(request.reference)} has indexes within indexes without end`,
      );
    }
    await fetchManifest(store, call, client, descriptor, request.reference);
    const { manifests } = await readIndex(store, descriptor);
    descriptor = choosePlatform(manifests, request);
  }
  await fetchManifest(store, call, client, descriptor, request.reference);
  const manifest = await readManifest(store, descriptor);
  checkImageManifest(manifest);
  await fetchSmallBlob(store, call, client, manifest.config, CONFIG_LIMIT_BYTES);
  const image = await readImage(store, descriptor);
  checkPlatform(call, image, request);
  return image;
}

/** The entry of an index for the platform. Throws `wrong-platform`. */
function choosePlatform(entries: readonly Descriptor[], { reference, platform }: ImageRequest): Descriptor {
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
  throw wrongPlatform(reference, wanted, [...new Set(offered)]);
}

/** An image outside an index is for one platform, which its config names. */
function checkPlatform(call: Call, image: Image, { reference, platform }: ImageRequest): void {
  const own = platformOf(image);
  const wanted = platform ?? hostPlatform();
  if (matchPlatforms([{ platform: own }], wanted).length > 0) return;
  if (platform !== undefined) throw wrongPlatform(reference, wanted, [formatPlatform(own)]);
  const name = familiarName(reference);
  call.emit(warning(`${name} is for ${formatPlatform(own)}, and this host is ${formatPlatform(wanted)}`));
}

function wrongPlatform(reference: Reference, wanted: Platform, offered: readonly string[]): OcitsError {
  const [first] = offered;
  const there = offered.length === 0 ? 'no image' : offered.join(', ');
  return new OcitsError(
    'wrong-platform',
    `${familiarName(reference)} has no image for ${formatPlatform(wanted)}; there is ${there}`,
    first === undefined ? {} : { hint: `choose one of these with --platform, such as --platform ${first}` },
  );
}

async function fetchManifest(
  store: Store,
  call: Call,
  client: RepositoryClient,
  descriptor: Descriptor,
  reference: Reference,
): Promise<void> {
  const { digest, mediaType, size } = descriptor;
  if (SCHEMA_1.test(mediaType)) {
    throw new OcitsError(
      'unsupported',
      `${familiarName(reference)} is an image of Docker's schema 1, which is gone`,
      {
        hint: 'push it again with a tool of the last years, such as skopeo copy',
      },
    );
  }
  if ((await store.blobs.stat(digest))?.sizeBytes === size) return;
  const { descriptor: found, content } = await client.fetchManifest(digest, call);
  if (found.mediaType !== mediaType) {
    throw new OcitsError(
      'hostile',
      `${digest} is announced as ${JSON.stringify(mediaType)} and comes as ${JSON.stringify(found.mediaType)}`,
    );
  }
  if (content.length !== size) {
    throw new OcitsError('size-mismatch', `${digest} has ${content.length} bytes, ${size} were announced`);
  }
  // What cannot be read is not kept.
  parseManifestOrIndex(content, mediaType);
  await store.blobs.put(content);
}
