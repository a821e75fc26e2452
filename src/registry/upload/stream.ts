import { type RetryContext, withRetry } from '../http/retry.ts';
import type { StreamUpload } from '../registry-client.ts';
import type { RegistrySession } from '../session/registry-session.ts';
import { beginUpload, expectCreated, type UploadContext, withDigest } from './begin-upload.ts';
import { counting } from './counting.ts';
import { hasBlob } from './upload-blob.ts';

/**
 * distribution-spec *Pushing a blob in chunks*, with one chunk of unknown length: POST, PATCH, PUT. As soon as the
 * digest is known the repository is asked for it, and where it has the blob nothing more is sent. `failed` for whatever
 * reason: then it is uploaded as any other, with retries and a message.
 */
export async function streamUpload(
  open: () => Promise<RegistrySession>,
  upload: StreamUpload,
  retry: RetryContext,
): Promise<'uploaded' | 'exists' | 'failed'> {
  const what = 'push a layer that is being made';
  upload.digest.catch(() => {});
  const stop = new AbortController();
  const signal = AbortSignal.any([retry.signal, stop.signal]);
  try {
    const session = await open();
    const scopes = [`repository:${session.endpoint.path}:pull,push`];
    const { location } = await beginUpload(session, what, retry);
    const exists = upload.digest.then(async (digest) => {
      if (!(await hasBlob(session, digest, retry))) return false;
      stop.abort();
      return true;
    });
    const sent = session.request(
      {
        method: 'PATCH',
        path: location,
        headers: { 'content-type': 'application/octet-stream' },
        body: { stream: counting(upload.content, upload.onBytes) },
        scopes,
        what,
      },
      { ...retry, signal },
    );
    const [there, answer] = await Promise.allSettled([exists, sent]);
    if (there.status === 'fulfilled' && there.value) {
      await cancel(session, location, { scopes, what, retry });
      return 'exists';
    }
    if (answer.status === 'rejected') throw answer.reason;
    const response = answer.value;
    if (response.status !== 202) throw await session.error(response, what);
    response.discard();
    const digest = await upload.digest;
    const end = withDigest(session.resolveLocation(response, what), digest);
    const request = { method: 'PUT', path: end, body: Buffer.alloc(0), scopes, what } as const;
    let isFirst = true;
    // All has been sent: a failure at the end is no reason to send it again.
    await withRetry(what, retry, async () => {
      if (!isFirst && (await hasBlob(session, digest, retry))) return;
      isFirst = false;
      await expectCreated(session, await session.request(request, retry), what);
    });
    return 'uploaded';
  } catch (error) {
    const text = `${what}: ${error instanceof Error ? error.message : error}; it is sent when it is whole`;
    retry.emit({ type: 'message', level: 'debug', text });
    return 'failed';
  } finally {
    upload.content.destroy();
  }
}

/** Best effort: a registry forgets an upload that nobody goes on with. */
async function cancel(
  session: RegistrySession,
  location: URL,
  { scopes, what, retry }: UploadContext,
): Promise<void> {
  const request = { method: 'DELETE', path: location, scopes, what } as const;
  await session.request(request, retry).then(
    (response) => response.discard(),
    () => {},
  );
}
