import { Readable } from 'node:stream';
import type { Call } from '../../call.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { ManifestContent } from '../image-documents.ts';
import type { BlobOutcome, BlobSupply, ImageSink } from './image-source.ts';

const CONCURRENCY = 5;

/** A registry's repository as a place that images go to. Names are tags of the repository, or digests. */
export function repositorySink(client: RepositoryClient): ImageSink {
  /** What the repository is known to have by now: several tags share it. */
  const there = new Set<Digest>();
  const putManifest = async (target: string, { descriptor, content }: ManifestContent, call: Call) => {
    await client.putManifest(target, content, descriptor.mediaType, call);
  };
  return {
    concurrency: CONCURRENCY,
    // A registry may refuse an index of which it lacks a part.
    takesPartialIndex: false,
    // What may be there is asked for when it is sent.
    hasBlob: async ({ digest }) => there.has(digest),
    putBlob: async (supply, call) => {
      const outcome = await upload(client, supply, call);
      there.add(supply.descriptor.digest);
      return outcome;
    },
    streamBlob: async ({ content, whole }, call, onBytes) => {
      let sizeBytes: number | undefined;
      const digest = whole.then((made) => {
        sizeBytes = made.sizeBytes;
        return made.digest;
      });
      const onSent = (bytes: number) => {
        if (sizeBytes !== undefined) onBytes(bytes, sizeBytes);
      };
      const state = await client.streamBlob({ content, digest, onBytes: onSent }, call);
      if (state === 'failed') return 'failed';
      there.add(await digest);
      return state === 'exists' ? 'exists' : 'stored';
    },
    putManifest: async (manifest, call) => await putManifest(manifest.descriptor.digest, manifest, call),
    putRoot: async (manifest, names, call) => {
      const targets = names.map(({ tag, digest }) => digest ?? tag!);
      if (targets.length === 0) targets.push(manifest.descriptor.digest);
      for (const target of targets) await putManifest(target, manifest, call);
    },
  };
}

async function upload(client: RepositoryClient, supply: BlobSupply, call: Call): Promise<BlobOutcome> {
  const { descriptor, source } = supply;
  const { digest, size: sizeBytes } = descriptor;
  const outcome = await client.uploadBlob(
    {
      digest,
      sizeBytes,
      open: async () => asReadable((await source.fetchBlob(descriptor, 0, call)).body),
      mountFrom: (await source.origins?.(digest)) ?? [],
      onBytes: supply.onBytes,
    },
    call,
  );
  if (outcome.state === 'mounted') return outcome;
  return { state: outcome.state === 'uploaded' ? 'stored' : 'exists' };
}

function asReadable(body: AsyncIterable<Uint8Array>): Readable {
  return body instanceof Readable ? body : Readable.from(body, { objectMode: false });
}
