import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { HttpResponse } from '../http/response.ts';
import { Backoff, PassingFailure, type RetryContext, withRetry } from '../http/retry.ts';
import type { RegistrySession } from '../session/registry-session.ts';

export interface BlobStream {
  readonly body: AsyncIterable<Uint8Array>;
  /** False: the bytes begin at 0, although a later offset was asked for. */
  readonly resumed: boolean;
}

interface Opened {
  readonly response: HttpResponse;
  /** The offset in the blob of the body's first byte. */
  readonly start: number;
}

/**
 * distribution-spec *Pulling blobs*: the blob's bytes from `offset` on. A dropped or stalled body is continued by a
 * Range request from where it stopped, as long as it gets on. Throws `size-mismatch` where the registry has more or
 * fewer bytes than the descriptor says, `not-found`, `unauthorized`, `denied`, `network`.
 */
export async function fetchBlob(
  session: RegistrySession,
  descriptor: Descriptor,
  offset: number,
  retry: RetryContext,
): Promise<BlobStream> {
  const what = `fetch ${session.endpoint.registry}/${session.endpoint.path}@${descriptor.digest}`;
  const first = await withRetry(what, retry, () => open(session, descriptor, offset, what, retry));
  return { body: read(session, descriptor, first, what, retry), resumed: first.start === offset };
}

async function* read(
  session: RegistrySession,
  descriptor: Descriptor,
  first: Opened,
  what: string,
  retry: RetryContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const backoff = new Backoff(what, retry);
  let opened: Opened | undefined = first;
  let position = first.start;
  for (;;) {
    try {
      opened ??= await open(session, descriptor, position, what, retry);
      let at = opened.start;
      for await (const chunk of opened.response.chunks()) {
        // A source that cannot continue begins anew; what has been passed on is left out.
        const skip = Math.min(Math.max(position - at, 0), chunk.length);
        at += chunk.length;
        if (at > descriptor.size) throw sizeMismatch(what, `more than ${descriptor.size} bytes`, descriptor);
        if (skip === chunk.length) continue;
        position = at;
        backoff.progressed();
        yield skip === 0 ? chunk : chunk.subarray(skip);
      }
      if (position >= descriptor.size) return;
      throw new PassingFailure(sizeMismatch(what, `${position} bytes`, descriptor));
    } catch (error) {
      opened = undefined;
      await backoff.wait(error);
    }
  }
}

async function open(
  session: RegistrySession,
  descriptor: Descriptor,
  offset: number,
  what: string,
  retry: RetryContext,
): Promise<Opened> {
  const { path } = session.endpoint;
  const response = await session.request(
    {
      method: 'GET',
      path: `/v2/${path}/blobs/${descriptor.digest}`,
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      scopes: [`repository:${path}:pull`],
      what,
    },
    retry,
  );
  const { status } = response;
  if (status === 206) return { response, start: rangeStart(response, descriptor, offset, what) };
  if (status === 200) {
    checkLength(response, descriptor, what);
    return { response, start: 0 };
  }
  // The registry has no byte at the offset: from the start it will show what it has.
  if (status === 416 && offset > 0) {
    response.discard();
    return await open(session, descriptor, 0, what, retry);
  }
  throw await session.error(response, what);
}

/** RFC 9110 section 14.4: where the part that a 206 carries begins. */
function rangeStart(response: HttpResponse, descriptor: Descriptor, offset: number, what: string): number {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.header('content-range') ?? '');
  if (range === null || Number(range[1]) > offset) {
    response.discard();
    throw new OcitsError(
      'network',
      `${what}: ${response.url.host} sent another range than the one asked for`,
    );
  }
  if (range[2] !== '*' && Number(range[2]) !== descriptor.size) {
    response.discard();
    throw sizeMismatch(what, `${range[2]} bytes`, descriptor);
  }
  return Number(range[1]);
}

function checkLength(response: HttpResponse, descriptor: Descriptor, what: string): void {
  const length = response.header('content-length');
  if (length === undefined || Number(length) === descriptor.size) return;
  response.discard();
  throw sizeMismatch(what, `${length} bytes`, descriptor);
}

function sizeMismatch(what: string, sent: string, descriptor: Descriptor): OcitsError {
  return new OcitsError(
    'size-mismatch',
    `${what}: the registry sends ${sent}, but the manifest says ${descriptor.size}`,
  );
}
