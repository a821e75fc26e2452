import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestAlgorithm, digestOf } from '../../oci/digest.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { Store } from '../../store/store.ts';
import { type ImageDocuments, storeDocuments } from '../image-documents.ts';
import type { ImageSource } from './image-source.ts';

const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;

/**
 * A registry's repository as a place that images come from. `name` is what errors call the image. Manifests and configs
 * that `store` has are not fetched.
 */
export function repositorySource(client: RepositoryClient, name: string, store?: Store): ImageSource {
  return {
    documents: (call) => {
      const fetched = {
        manifest: async (descriptor: Descriptor) => await fetchManifest(client, name, descriptor, call),
        config: async (descriptor: Descriptor) => await fetchWhole(client, descriptor, call),
      };
      return store === undefined ? fetched : storeBefore(store, fetched);
    },
    fetchBlob: client.fetchBlob,
    origins: async () => [client.reference],
  };
}

async function fetchManifest(
  client: RepositoryClient,
  name: string,
  { digest, mediaType, size }: Descriptor,
  call: Call,
): Promise<Buffer> {
  if (SCHEMA_1.test(mediaType)) {
    throw new OcitsError('unsupported', `${name} is an image of Docker's schema 1, which is gone`, {
      hint: 'push it again with a tool of the last years, such as skopeo copy',
    });
  }
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
  return content;
}

/** A small blob in memory, verified. Where the bytes are wrong, the source's next place is asked. */
async function fetchWhole(client: RepositoryClient, descriptor: Descriptor, call: Call): Promise<Buffer> {
  const { digest, size } = descriptor;
  for (;;) {
    const { body, distrust } = await client.fetchBlob(descriptor, 0, call);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > size) break;
      chunks.push(Buffer.from(chunk));
    }
    const content = Buffer.concat(chunks);
    const found = digestOf(content, digestAlgorithm(digest));
    if (bytes === size && found === digest) return content;
    if (distrust?.() === true) continue;
    if (bytes !== size) {
      throw new OcitsError('size-mismatch', `the image config ${digest} has another size than announced`);
    }
    throw new OcitsError('digest-mismatch', `content that should be ${digest} is ${found}`);
  }
}

/** What the store has, and all else from `others`. */
function storeBefore(store: Pick<Store, 'blobs'>, others: ImageDocuments): ImageDocuments {
  const own = storeDocuments(store);
  const holder = async ({ digest, size }: Descriptor) =>
    (await store.blobs.stat(digest))?.sizeBytes === size ? own : others;
  return {
    manifest: async (descriptor) => await (await holder(descriptor)).manifest(descriptor),
    config: async (descriptor) => await (await holder(descriptor)).config(descriptor),
  };
}
