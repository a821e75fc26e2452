import { isOcitsError, OcitsError } from '../../errors.ts';
import type { HttpResponse } from '../http/response.ts';
import { PassingFailure, type RetryContext } from '../http/retry.ts';
import type { RegistrySession } from '../session/registry-session.ts';

const MOUNT_ATTEMPTS = 2;

export interface Begun {
  readonly mounted?: string | undefined;
  readonly location: URL;
  /** `OCI-Chunk-Min-Length`: the least size of a chunk that is not the last; 0 where any will do. */
  readonly chunkBytes: number;
}

/** A mount that fails has begun an upload all the same: the last one's is used. */
export async function begin(
  session: RegistrySession,
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
export async function beginUpload(
  session: RegistrySession,
  what: string,
  retry: RetryContext,
): Promise<Begun> {
  const scopes = [`repository:${session.endpoint.path}:pull,push`];
  const response = await post(session, '', { scopes, what, retry });
  if (response.status !== 202) throw await session.error(response, what);
  return readBegun(session, response, what);
}

/** Undefined where the other repository cannot be mounted from, which is no failure. */
async function tryMount(
  session: RegistrySession,
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
  session: RegistrySession,
  query: string,
  { scopes, what, retry }: UploadContext,
): Promise<HttpResponse> {
  const path = `/v2/${session.endpoint.path}/blobs/uploads/${query}`;
  return await session.request({ method: 'POST', path, body: Buffer.alloc(0), scopes, what }, retry);
}

function readBegun(session: RegistrySession, response: HttpResponse, what: string): Begun {
  response.discard();
  const chunkBytes = Number(response.header('oci-chunk-min-length') ?? 0) || 0;
  return { location: session.resolveLocation(response, what), chunkBytes };
}

export interface UploadContext {
  readonly scopes: readonly string[];
  readonly what: string;
  readonly retry: RetryContext;
}

/** Adds the digest to an upload's address, whose own query is the registry's and stays as it is. */
export function withDigest(location: URL, digest: string): URL {
  const query = `${location.search === '' ? '?' : `${location.search}&`}digest=${encodeURIComponent(digest)}`;
  return new URL(`${location.origin}${location.pathname}${query}`);
}

/** Throws what an answer other than 201 means; a lost upload begins anew. */
export async function expectCreated(
  session: RegistrySession,
  response: HttpResponse,
  what: string,
): Promise<void> {
  if (response.status === 201 || response.status === 204) {
    response.discard();
    return;
  }
  const error = await session.error(response, what);
  // The upload's session has expired, or its token has, which is known by now.
  const begunAnew = response.status === 404 || response.status === 401;
  throw begunAnew && error instanceof OcitsError ? new PassingFailure(error) : error;
}
