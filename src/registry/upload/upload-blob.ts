import { isOcitsError } from '../../errors.ts';
import type { HttpResponse } from '../http/response.ts';
import { PassingFailure, type RetryContext, withRetry } from '../http/retry.ts';
import type { BlobUpload, UploadOutcome } from '../registry-client.ts';
import type { RegistrySession } from '../session/registry-session.ts';
import { begin, expectCreated, type UploadContext, withDigest } from './begin-upload.ts';
import { uploadInChunks } from './chunks.ts';
import { counting } from './counting.ts';
import { findCutUpload, resumeUpload } from './resume.ts';

/** Answers of registries, and of proxies before them, that do not take a large body at once. */
const WANTS_CHUNKS = new Set([405, 411, 413]);

/** Whether the repository has the blob (HEAD). */
export async function hasBlob(
  session: RegistrySession,
  digest: string,
  retry: RetryContext,
): Promise<boolean> {
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
 * The room of uploads: in one request, in chunks, as a mount from another repository, or as a stream of unknown length.
 * Only the client of a repository calls it.
 *
 *     const { state } = await uploadBlob(session, { digest, sizeBytes, open, mountPaths: [] }, retry);
 *
 * distribution-spec *Pushing blobs*: nothing is sent where the repository has the blob, or can mount it from one of
 * `mountPaths`; else POST and one PUT, or chunks for a registry that takes no large body. A failed upload goes on where
 * the registry says that it has stopped, and begins anew where it does not say.
 */
export async function uploadBlob(
  session: RegistrySession,
  upload: BlobUpload & { readonly mountPaths: readonly string[] },
  retry: RetryContext,
): Promise<UploadOutcome> {
  if (await hasBlob(session, upload.digest, retry)) return { state: 'exists' };
  const { registry, path } = session.endpoint;
  const what = `push ${registry}/${path}@${upload.digest}`;
  const scopes = [`repository:${path}:pull,push`];
  const context = { scopes, what, retry };
  let failedAt: URL | undefined;
  return await withRetry(what, retry, async () => {
    const cut = failedAt && (await findCutUpload(session, failedAt, upload.sizeBytes, context));
    failedAt = cut?.location;
    if (cut !== undefined) {
      await resumeUpload(session, cut, upload, context).catch((error: unknown) => {
        if (error instanceof PassingFailure || !isOcitsError(error) || error.code === 'aborted') throw error;
        // It takes no rest after all.
        failedAt = undefined;
        throw new PassingFailure(error);
      });
      return { state: 'uploaded' };
    }
    const begun = await begin(session, upload, what, retry);
    if (begun.mounted !== undefined) return { state: 'mounted', from: begun.mounted };
    failedAt = begun.location;
    const response = await putWhole(session, begun.location, upload, context);
    if (WANTS_CHUNKS.has(response.status)) {
      response.discard();
      failedAt = undefined;
      const again = await begin(session, { ...upload, mountPaths: [] }, what, retry);
      await uploadInChunks(session, again, upload, context);
      return { state: 'uploaded' };
    }
    await expectCreated(session, response, what);
    return { state: 'uploaded' };
  });
}

async function putWhole(
  session: RegistrySession,
  location: URL,
  upload: BlobUpload,
  { scopes, what, retry }: UploadContext,
): Promise<HttpResponse> {
  const reopen = async () => counting(await upload.open(), upload.onBytes);
  const stream = await reopen();
  return await session.request(
    {
      method: 'PUT',
      path: withDigest(location, upload.digest),
      headers: { 'content-type': 'application/octet-stream' },
      body: { stream, sizeBytes: upload.sizeBytes, reopen },
      scopes,
      what,
    },
    retry,
  );
}
