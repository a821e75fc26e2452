/**
 * The room of registries: one repository of one registry, as whoever pulls and pushes sees it. `image` works with it,
 * and the engine opens it. The rooms below do the rest: `client` asks, `session` and `auth` are let in, `http` sends,
 * `upload` brings, `config` says where. It knows no disk layout and no image: bytes go in and out with their digests.
 *
 *     const client: RepositoryClient = registry.repository(reference);
 *     const root = await client.resolve('latest', call);
 *     const { content } = await client.fetchManifest(root.digest, call);
 */

import type { Readable } from 'node:stream';
import type { Call } from '../call.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';

/** A manifest or an index as the registry sent it: the bytes that the digest is of. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly content: Buffer;
}

/** The bytes of a blob; their digest is the caller's to verify. */
export interface FetchedBlob {
  /** Retries and continues by itself; throws `network`, `size-mismatch`, `aborted`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** False: the source could not continue, the bytes begin at 0. */
  readonly resumed: boolean;
  /** The bytes were wrong, or ended in a failure: what is asked later goes to another source. False: there is none. */
  distrust(): boolean;
}

export interface BlobUpload {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Opens the content from the start; called again where the upload has to begin anew. */
  open(): Promise<Readable>;
  /** Repositories that are likely to have it: those in the same registry are tried as cross-repository mounts. */
  readonly mountFrom?: readonly Pick<Reference, 'domain' | 'path'>[] | undefined;
  readonly onBytes?: ((sent: number) => void) | undefined;
}

/** A blob that is still being made. */
export interface StreamUpload {
  /** Its bytes as they come; destroyed in any case. */
  readonly content: Readable;
  /** Known once all bytes are; rejects where that will never be. */
  readonly digest: Promise<Digest>;
  readonly onBytes?: ((sent: number) => void) | undefined;
}

export type UploadOutcome =
  | { readonly state: 'uploaded' | 'exists' }
  /** `from`: the other repository's path in the registry. */
  | { readonly state: 'mounted'; readonly from: string };

/**
 * One repository of one registry, by distribution-spec. Mirrors, plain http, credentials, tokens, redirects and
 * retries are its own affair. Knows no disk layout, and keeps no call.
 *
 * Errors: `not-found`, `unauthorized`, `denied`, `rate-limited`, `network`, `digest-mismatch`, `hostile`
 * (over a limit, disagreeing media types).
 */
export interface RepositoryClient {
  readonly reference: Reference;
  /** What `tag` or digest points at, by HEAD (GET where HEAD gives no digest). `not-found` where it is not there. */
  resolve(target: string | Digest, call: Call): Promise<Descriptor>;
  /** The same of the place that pushes go to, which no mirror stands in for. */
  resolvePushed(target: string | Digest, call: Call): Promise<Descriptor>;
  /** At most 4 MiB (`hostile` over that); digest verified. */
  fetchManifest(target: string | Digest, call: Call): Promise<FetchedManifest>;
  /** The blob's bytes from `offset` on. */
  fetchBlob(descriptor: Descriptor, offset: number, call: Call): Promise<FetchedBlob>;
  /** All tags of the repository, in the registry's order. */
  listTags(call: Call): Promise<readonly string[]>;
  /** Whether the place that pushes go to has the blob. */
  hasBlob(digest: Digest, call: Call): Promise<boolean>;
  uploadBlob(upload: BlobUpload, call: Call): Promise<UploadOutcome>;
  /** Sends a blob while it is made. Throws nothing: after `failed`, `uploadBlob` is asked to do better. */
  streamBlob(upload: StreamUpload, call: Call): Promise<'uploaded' | 'exists' | 'failed'>;
  putManifest(target: string | Digest, content: Uint8Array, mediaType: string, call: Call): Promise<Digest>;
}
