import { Readable } from 'node:stream';
import { OcitsError } from '../../errors.ts';
import type { BlobUpload } from '../registry-client.ts';
import type { RegistrySession } from '../session/registry-session.ts';
import { type Begun, expectCreated, type UploadContext, withDigest } from './begin-upload.ts';

const CHUNK_BYTES = 16 * 1024 * 1024;
/** A chunk is held in memory, so that it can be sent again after a 401. */
const CHUNK_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * distribution-spec *Pushing a blob in chunks*: PATCH after PATCH, each with its range, then an empty PUT. Throws
 * `unsupported` for a registry whose least chunk is over 64 MiB.
 */
export async function uploadInChunks(
  session: RegistrySession,
  begun: Begun,
  upload: BlobUpload,
  { scopes, what, retry }: UploadContext,
): Promise<void> {
  const chunkBytes = Math.max(begun.chunkBytes, CHUNK_BYTES);
  if (chunkBytes > CHUNK_LIMIT_BYTES) {
    throw new OcitsError('unsupported', `${what}: the registry wants chunks of ${chunkBytes} bytes at least`);
  }
  let { location } = begun;
  let sent = 0;
  for await (const chunk of chunksOf(await upload.open(), chunkBytes)) {
    const response = await session.request(
      {
        method: 'PATCH',
        path: location,
        headers: {
          'content-type': 'application/octet-stream',
          'content-range': `${sent}-${sent + chunk.length - 1}`,
        },
        body: chunk,
        scopes,
        what,
      },
      retry,
    );
    if (response.status !== 202) return await expectCreated(session, response, what);
    response.discard();
    location = session.resolveLocation(response, what);
    sent += chunk.length;
    upload.onBytes?.(sent);
  }
  const path = withDigest(location, upload.digest);
  const end = await session.request({ method: 'PUT', path, body: Buffer.alloc(0), scopes, what }, retry);
  await expectCreated(session, end, what);
}

/** The stream's bytes in pieces of `size`, the last one shorter. */
async function* chunksOf(stream: Readable, size: number): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  let have = 0;
  for await (const part of Readable.from(stream) as AsyncIterable<Buffer>) {
    let rest = part;
    while (have + rest.length >= size) {
      const need = size - have;
      yield Buffer.concat([...parts, rest.subarray(0, need)]);
      rest = rest.subarray(need);
      parts = [];
      have = 0;
    }
    if (rest.length > 0) parts.push(rest);
    have += rest.length;
  }
  if (have > 0) yield Buffer.concat(parts);
}
