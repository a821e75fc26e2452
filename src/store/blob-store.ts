import type { Readable } from 'node:stream';
import type { Digest } from '../oci/digest.ts';

export interface BlobInfo {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface IngestRequest {
  /** What is expected, where that is known: makes the download resumable, and lets two processes share one. */
  readonly digest?: Digest | undefined;
  readonly sizeBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A blob that is read while it is written: `path` and `growth` are plain data for a `LayerSource`. */
export interface FollowedBlob extends AsyncDisposable {
  /** The file, whatever becomes of its name, until this is disposed of. */
  readonly path: string;
  /** How far the file has come, by `FileGrowth`. It ends once the blob is verified and in the store. */
  readonly growth: SharedArrayBuffer;
  /** What became of the blob. `dropped`: its writer began anew or gave up, and what was read does not count. */
  readonly outcome: Promise<'whole' | 'dropped'>;
}

/**
 * Content under way into the store. Bytes are hashed as they are written. Disposing without `commit` keeps what
 * was written for a later resume where the digest was given, and deletes it otherwise.
 */
export interface BlobWriter extends AsyncDisposable {
  /** How many bytes are there already: where a resumed download goes on. Counts up with `write`. */
  readonly offset: number;
  /** Copies the chunk, and waits where the disk is slower. Throws `size-mismatch` as soon as more arrives than was announced. */
  write(chunk: Uint8Array): Promise<void>;
  /** Begins anew at 0, for a source that cannot continue. */
  reset(): Promise<void>;
  /** What is written, for somebody who reads it meanwhile. The reader holds nobody back, and disposes of it. */
  follow(): Promise<FollowedBlob>;
  /**
   * Verifies digest and size (`digest-mismatch`, `size-mismatch`; what was written is deleted then), fsyncs, renames. Idempotent.
   */
  commit(): Promise<BlobInfo>;
}

/** Immutable content by digest. */
export interface BlobStore {
  stat(digest: Digest): Promise<BlobInfo | undefined>;
  /** The bytes from `start` up to, not with, `end`. Throws `not-found`. */
  open(
    digest: Digest,
    range?: { readonly start: number; readonly end?: number | undefined },
  ): Promise<Readable>;
  /** The blob's file, for a worker or a tool to read; it may not exist. */
  path(digest: Digest): string;
  /** All of a small blob (manifest, config) in memory. Throws `not-found`, and `corrupt` where it is over `limitBytes` or does not match its digest. */
  read(digest: Digest, limitBytes?: number): Promise<Buffer>;
  /**
   * A writer, alone with this digest among all processes: a second caller waits for the first. `exists` where the
   * content is there (or has come while waiting).
   */
  ingest(request: IngestRequest): Promise<BlobWriter | { readonly exists: BlobInfo }>;
  /** Stores a small blob. */
  put(content: Uint8Array | string): Promise<BlobInfo>;
  /** Takes a finished file on the same file system into the store by a rename. The caller vouches for the digest. */
  adopt(path: string, digest: Digest): Promise<BlobInfo>;
  delete(digest: Digest): Promise<void>;
  list(): AsyncIterable<BlobInfo>;
  /**
   * Makes the names of all blobs durable. A blob's content is durable before it has its name. Until this is called, the
   * name may be lost in a crash, and the content is fetched or built again then. `RefStore.put` does it.
   */
  sync(): Promise<void>;
}
