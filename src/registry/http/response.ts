import type { Readable } from 'node:stream';
import { OcitsError } from '../../errors.ts';
import { PassingFailure } from './retry.ts';
import { StallTimer } from './stall-timer.ts';

/** An answer whose body has not been read yet. One of `read`, `chunks` or `discard` is called, once. */
export interface HttpResponse {
  readonly status: number;
  readonly url: URL;
  header(name: string): string | undefined;
  /** The body as it comes. A stall or a drop is thrown as a PassingFailure. Leaving early closes the connection. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** All of the body; `hostile` where it is over `limitBytes`. */
  read(limitBytes: number): Promise<Buffer>;
  /** Throws the body away, and keeps the connection where the body is small. */
  discard(): void;
}

export interface ResponseParts {
  readonly status: number;
  readonly url: URL;
  readonly headers: { get(name: string): string | null };
  readonly body: Readable | undefined;
  readonly controller: AbortController;
  readonly signal: AbortSignal | undefined;
  readonly stallMs: number;
  readonly what: string;
}

const DISCARD_LIMIT_BYTES = 64 * 1024;

/** The answer made of what the HTTP library gives. `controller` aborts the request that it belongs to. */
export function httpResponse(parts: ResponseParts): HttpResponse {
  const header = (name: string) => parts.headers.get(name) ?? undefined;
  // Whoever reads sees a failure; with nobody reading it must not end the process.
  parts.body?.on('error', () => {});
  return {
    status: parts.status,
    url: parts.url,
    header,
    chunks: () => chunksOf(parts),
    read: (limitBytes) => readAll(parts, limitBytes),
    discard() {
      const length = Number(header('content-length') ?? Number.POSITIVE_INFINITY);
      if (length <= DISCARD_LIMIT_BYTES) parts.body?.resume();
      else parts.controller.abort();
    },
  };
}

async function* chunksOf(parts: ResponseParts): AsyncGenerator<Uint8Array, void, undefined> {
  const { body, controller, signal, stallMs, url, what } = parts;
  if (body === undefined) return;
  using stall = new StallTimer(stallMs, () => controller.abort());
  const iterator: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      stall.start();
      const { done, value } = await iterator.next();
      stall.stop();
      if (done === true) break;
      yield value;
    }
    ended = true;
  } catch (error) {
    if (signal?.aborted) throw new OcitsError('aborted', `${what}: interrupted`, { cause: error });
    if (stall.fired) throw stallFailure(what, url.host, stallMs);
    const reason = error instanceof Error ? error.message : String(error);
    const lost = `${what}: the connection to ${url.host} was lost: ${reason}`;
    throw new PassingFailure(new OcitsError('network', lost, { cause: error }));
  } finally {
    if (!ended) controller.abort();
  }
}

async function readAll(parts: ResponseParts, limitBytes: number): Promise<Buffer> {
  const tooLong = () =>
    new OcitsError('hostile', `${parts.what}: ${parts.url.host} sends more than ${limitBytes} bytes`);
  if (Number(parts.headers.get('content-length') ?? 0) > limitBytes) {
    parts.controller.abort();
    throw tooLong();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(parts)) {
    size += chunk.length;
    if (size > limitBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Nothing came for too long, or nothing was taken. */
export function stallFailure(
  what: string,
  host: string,
  stallMs: number,
  did: 'sent nothing' | 'took no more bytes' = 'sent nothing',
): PassingFailure {
  return new PassingFailure(new OcitsError('network', `${what}: ${host} ${did} for ${stallMs / 1000} s`));
}
