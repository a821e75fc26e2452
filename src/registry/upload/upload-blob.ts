import type { Readable } from 'node:stream';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { HttpResponse } from '../http/response.ts';
import { PassingFailure, type RetryContext, withRetry } from '../http/retry.ts';
import type { BlobUpload, UploadOutcome } from '../registry-client.ts';
import type { Session } from '../session/registry-session.ts';
import { uploadInChunks } from './chunks.ts';

const MOUNT_ATTEMPTS = 2;
/** Answers of registries, and of proxies before them, that do not take a large body at once. */
const WANTS_CHUNKS = new Set([405, 411, 413]);

/** Whether the repository has the blob (HEAD). */
export async function hasBlob(session: Session, digest: string, retry: RetryContext): Promise<boolean> {
  const { registry, path } = session.endpoint;
  const what = `look for ${registry}/${path}@${digest}`;
  return await withRetry(what, retry, async () => {
    const response = await session.request(
      { method: 'HEAD', path: `/v2/${path}/blobs/${digest}`, scopes: [`repository:${path}:pull,push`], what },
      retry,
    );
    if (response.status !== 200 && response.status !== 404) throw await session.error(response, what);
    response.discard();
    return response.status === 200;
  });
}

/**
 * distribution-spec *Pushing blobs*: nothing is sent where the repository has the blob, or can mount it from one of
 * `mountPaths`; else POST and one PUT, or chunks for a registry that takes no large body. A failed upload begins anew.
 */
export async function uploadBlob(
  session: Session,
  upload: BlobUpload & { readonly mountPaths: readonly string[] },
  retry: RetryContext,
): Promise<UploadOutcome> {
  if (await hasBlob(session, upload.digest, retry)) return { state: 'exists' };
  const { registry, path } = session.endpoint;
  const what = `push ${registry}/${path}@${upload.digest}`;
  return await withRetry(what, retry, async () => {
    const begun = await begin(session, upload, what, retry);
    if (begun.mounted !== undefined) return { state: 'mounted', from: begun.mounted };
    const scopes = [`repository:${path}:pull,push`];
    const response = await putWhole(session, begun.location, upload, { scopes, what, retry });
    if (WANTS_CHUNKS.has(response.status)) {
      response.discard();
      const again = await begin(session, { ...upload, mountPaths: [] }, what, retry);
      await uploadInChunks(session, again, upload, { scopes, what, retry });
      return { state: 'uploaded' };
    }
    await expectCreated(session, response, what);
    return { state: 'uploaded' };
  });
}

export interface Begun {
  readonly mounted?: string;
  readonly location: URL;
  /** `OCI-Chunk-Min-Length`: the least size of a chunk that is not the last; 0 where any will do. */
  readonly chunkBytes: number;
}

/** A mount that fails has begun an upload all the same: the last one's is used. */
async function begin(
  session: Session,
  upload: { readonly digest: string; readonly mountPaths: readonly string[] },
  what: string,
  retry: RetryContext,
): Promise<Begun> {
  const { path } = session.endpoint;
  const sources = upload.mountPaths.filter((from) => from !== path).slice(0, MOUNT_ATTEMPTS);
  let begun: Begun | undefined;
  for (const from of sources) {
    begun = (await tryMount(session, upload.digest, from, { what, retry })) ?? begun;
    if (begun?.mounted !== undefined) return begun;
  }
  return begun ?? (await beginUpload(session, what, retry));
}

/** An upload of a blob that nobody has. */
export async function beginUpload(session: Session, what: string, retry: RetryContext): Promise<Begun> {
  const scopes = [`repository:${session.endpoint.path}:pull,push`];
  const response = await post(session, '', { scopes, what, retry });
  if (response.status !== 202) throw await session.error(response, what);
  return readBegun(session, response, what);
}

/** Undefined where the other repository cannot be mounted from, which is no failure. */
async function tryMount(
  session: Session,
  digest: string,
  from: string,
  { what, retry }: Omit<UploadContext, 'scopes'>,
): Promise<Begun | undefined> {
  const { path } = session.endpoint;
  const query = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
  const scopes = [`repository:${path}:pull,push`, `repository:${from}:pull`];
  try {
    const response = await post(session, query, { scopes, what, retry });
    if (response.status === 202) return readBegun(session, response, what);
    if (response.status >= 500) throw await session.error(response, what);
    response.discard();
    return response.status === 201 ? { mounted: from, location: response.url, chunkBytes: 0 } : undefined;
  } catch (error) {
    if (isOcitsError(error, 'unauthorized', 'denied')) return undefined;
    throw error;
  }
}

async function post(
  session: Session,
  query: string,
  { scopes, what, retry }: UploadContext,
): Promise<HttpResponse> {
  const path = `/v2/${session.endpoint.path}/blobs/uploads/${query}`;
  return await session.request({ method: 'POST', path, body: Buffer.alloc(0), scopes, what }, retry);
}

function readBegun(session: Session, response: HttpResponse, what: string): Begun {
  response.discard();
  const chunkBytes = Number(response.header('oci-chunk-min-length') ?? 0) || 0;
  return { location: session.resolveLocation(response, what), chunkBytes };
}

export interface UploadContext {
  readonly scopes: readonly string[];
  readonly what: string;
  readonly retry: RetryContext;
}

async function putWhole(
  session: Session,
  location: URL,
  upload: BlobUpload,
  { scopes, what, retry }: UploadContext,
): Promise<HttpResponse> {
  const stream = counting(await upload.open(), upload.onBytes);
  return await session.request(
    {
      method: 'PUT',
      path: withDigest(location, upload.digest),
      headers: { 'content-type': 'application/octet-stream' },
      body: { stream, sizeBytes: upload.sizeBytes },
      scopes,
      what,
    },
    retry,
  );
}

/** The same stream, which tells how much of it was taken. */
export function counting(stream: Readable, onBytes: ((taken: number) => void) | undefined): Readable {
  let taken = 0;
  stream.on('data', (chunk: Uint8Array) => {
    taken += chunk.length;
    onBytes?.(taken);
  });
  return stream.pause();
}

/** Adds the digest to an upload's address, whose own query is the registry's and stays as it is. */
export function withDigest(location: URL, digest: string): URL {
  const query = `${location.search === '' ? '?' : `${location.search}&`}digest=${encodeURIComponent(digest)}`;
  return new URL(`${location.origin}${location.pathname}${query}`);
}

/** Throws what an answer other than 201 means; a lost upload begins anew. */
export async function expectCreated(session: Session, response: HttpResponse, what: string): Promise<void> {
  if (response.status === 201 || response.status === 204) {
    response.discard();
    return;
  }
  const error = await session.error(response, what);
  // The upload's session has expired, or its token has, which is known by now.
  const begunAnew = response.status === 404 || response.status === 401;
  throw begunAnew && error instanceof OcitsError ? new PassingFailure(error) : error;
}
