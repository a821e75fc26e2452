import { Readable } from 'node:stream';
import { isOcitsError } from '../../errors.ts';
import type { HttpResponse } from '../http/response.ts';
import type { BlobUpload } from '../registry-client.ts';
import type { RegistrySession } from '../session/registry-session.ts';
import { expectCreated, type UploadContext, withDigest } from './begin-upload.ts';
import { counting } from './counting.ts';

/** An upload that was cut, and how much of it the registry has. */
export interface CutUpload {
  readonly location: URL;
  readonly takenBytes: number;
}

/**
 * distribution-spec *Pushing a blob in chunks*, "GET <location>": what the registry has of an upload that was cut.
 * Undefined where it has nothing, has given it up, or does not say: then all is sent anew.
 */
export async function findCutUpload(
  session: RegistrySession,
  location: URL,
  sizeBytes: number,
  { scopes, what, retry }: UploadContext,
): Promise<CutUpload | undefined> {
  let response: HttpResponse;
  try {
    response = await session.request({ method: 'GET', path: location, scopes, what }, retry);
  } catch (error) {
    if (isOcitsError(error) && error.code !== 'aborted') return undefined;
    throw error;
  }
  response.discard();
  if (response.status !== 204) return undefined;
  const [, end] = /^(?:bytes=)?0-(\d+)$/.exec(response.header('range') ?? '') ?? [];
  const takenBytes = Number(end ?? 0) + 1;
  // `0-0` is also what is said of nothing.
  if (takenBytes === 1 || takenBytes > sizeBytes) return undefined;
  const next = response.header('location') === undefined ? location : session.resolveLocation(response, what);
  return { location: next, takenBytes };
}

/** Sends the rest (PATCH), and ends the upload (PUT). Throws as any upload does. */
export async function resumeUpload(
  session: RegistrySession,
  cut: CutUpload,
  upload: BlobUpload,
  { scopes, what, retry }: UploadContext,
): Promise<void> {
  const { digest, sizeBytes } = upload;
  let { location } = cut;
  if (cut.takenBytes < sizeBytes) {
    const open = async () => counting(await openFrom(upload, cut.takenBytes), upload.onBytes, cut.takenBytes);
    const response = await session.request(
      {
        method: 'PATCH',
        path: location,
        headers: {
          'content-type': 'application/octet-stream',
          'content-range': `${cut.takenBytes}-${sizeBytes - 1}`,
        },
        body: { stream: await open(), sizeBytes: sizeBytes - cut.takenBytes, reopen: open },
        scopes,
        what,
      },
      retry,
    );
    if (response.status !== 202) return await expectCreated(session, response, what);
    response.discard();
    location = session.resolveLocation(response, what);
  }
  const path = withDigest(location, digest);
  const end = await session.request({ method: 'PUT', path, body: Buffer.alloc(0), scopes, what }, retry);
  await expectCreated(session, end, what);
}

async function openFrom(upload: BlobUpload, offset: number): Promise<Readable> {
  return Readable.from(skipping(await upload.open(), offset), { objectMode: false });
}

async function* skipping(content: Readable, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of content as AsyncIterable<Uint8Array>) {
    if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
