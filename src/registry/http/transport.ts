import { Readable } from 'node:stream';
import { OcitsError } from '../../errors.ts';
import type { Agents } from './agents.ts';
import { isUnknownIssuer, networkFailure } from './network-failure.ts';
import { type HttpResponse, httpResponse, stallFailure } from './response.ts';
import { StallTimer } from './stall-timer.ts';

export interface StreamBody {
  readonly stream: Readable;
  /** Undefined where nobody knows yet: it is sent in HTTP's chunks then. */
  readonly sizeBytes?: number | undefined;
  /** The same bytes once more; undefined where they cannot be had again. */
  readonly reopen?: (() => Promise<Readable>) | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Buffer | StreamBody | undefined;
  /** Certificates are not verified. */
  readonly insecure: boolean;
  readonly signal?: AbortSignal | undefined;
  /** What is being done, for errors. */
  readonly what: string;
}

const PIECE_BYTES = 64 * 1024;
/** A registry may take its time to file away what was sent. */
const UPLOAD_PATIENCE = 10;

/**
 * The room of HTTP: connections that are kept open, requests and answers, failures with a name, patience with what
 * stalls, and attempts with backoff. The other rooms of registries call it; of registries it knows only how their errors
 * look.
 *
 *     const transport = new Transport(new Agents(folders), policy.stallMs);
 *     const response = await transport.send({ method: 'GET', url, insecure: false, signal, what: 'look for a blob' });
 *
 * A transport sends requests, and follows nothing: no redirect, no retry, no authentication.
 */
export class Transport {
  readonly #agents: Agents;
  readonly #stallMs: number;
  /** Origins that only the system's certificate authorities know. */
  readonly #systemAuthorities = new Set<string>();

  constructor(agents: Agents, stallMs: number) {
    this.#agents = agents;
    this.#stallMs = stallMs;
  }

  /**
   * Any status is an answer. Throws a PassingFailure where none came for a passing reason, else `network` or
   * `aborted`. A body that is a stream is used up in any case.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { url, insecure, body, what, signal } = request;
    const systemAuthorities = this.#systemAuthorities.has(url.origin);
    const controller = new AbortController();
    const stallMs = this.#stallMs * (isLarge(body) ? UPLOAD_PATIENCE : 1);
    const giveUp = () => controller.abort();
    using stall = new StallTimer(stallMs, giveUp);
    const sent = streamOf(body);
    // A source that has nothing to send at the moment is no fault of the registry's.
    using sending = new StallTimer(this.#stallMs, giveUp, () => sent?.readableFlowing === true);
    try {
      const { default: fetch } = await import('node-fetch');
      const agent = await this.#agents.get({ url, insecure, systemAuthorities });
      // node-fetch would destroy a body that nobody has taken yet, and its error end the process.
      signal?.throwIfAborted();
      if (sent === undefined) stall.start();
      else watchSending(sent, sending, stall);
      const pending = fetch(url.href, {
        method: request.method,
        headers: headersOf(request),
        body: sent ?? (body as Buffer | undefined) ?? null,
        redirect: 'manual',
        // Content that a server compresses once more would not match its digest.
        compress: false,
        agent,
        signal: signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]),
      });
      const { status, headers, body: answer } = await pending;
      const readable = (answer as Readable | null) ?? undefined;
      const parts = { status, url, headers, body: readable, controller, signal, what };
      return httpResponse({ ...parts, stallMs: this.#stallMs });
    } catch (error) {
      if (signal?.aborted) throw new OcitsError('aborted', `${what}: interrupted`, { cause: error });
      if (sending.fired) throw stallFailure(what, url.host, this.#stallMs, 'took no more bytes');
      if (stall.fired) throw stallFailure(what, url.host, stallMs);
      const mayTrust = isUnknownIssuer(error) && !systemAuthorities && !isStream(body);
      if (!mayTrust) throw networkFailure(error, url.host, what);
    } finally {
      if (sent !== undefined && !sent.readableEnded) sent.destroy();
    }
    stall.stop();
    sending.stop();
    this.#systemAuthorities.add(url.origin);
    return await this.send(request);
  }
}

/** What is sent piece by piece, so that it shows whether it is taken. */
function streamOf(body: HttpRequest['body']): Readable | undefined {
  if (isStream(body)) return body.stream;
  return body !== undefined && isLarge(body)
    ? Readable.from(piecesOf(body), { objectMode: false })
    : undefined;
}

function* piecesOf(content: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES);
}

/** While it is sent, each piece has to be taken in time; then the registry may take its time. */
function watchSending(content: Readable, sending: StallTimer, answering: StallTimer): void {
  sending.start();
  content.on('data', () => sending.start());
  content.once('end', () => {
    sending.stop();
    answering.start();
  });
}

function isLarge(body: HttpRequest['body']): boolean {
  return isStream(body) || (body?.length ?? 0) > PIECE_BYTES;
}

function headersOf({ headers, body }: HttpRequest): Record<string, string> {
  const sizeBytes = isStream(body) ? body.sizeBytes : body?.length;
  const length = sizeBytes === undefined ? {} : { 'content-length': String(sizeBytes) };
  return { 'user-agent': 'ocits', ...headers, ...length };
}

function isStream(body: HttpRequest['body']): body is StreamBody {
  return body !== undefined && 'stream' in body;
}
