import type { Readable } from 'node:stream';
import { OcitsError } from '../../errors.ts';
import type { Agents } from './agents.ts';
import { isUnknownIssuer, networkFailure } from './network-failure.ts';
import { type HttpResponse, httpResponse, stallFailure } from './response.ts';
import { StallTimer } from './stall-timer.ts';

export interface StreamBody {
  readonly stream: Readable;
  /** Undefined where nobody knows yet: it is sent in HTTP's chunks then. */
  readonly sizeBytes?: number;
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

/** A registry may take its time to file away what was sent. */
const UPLOAD_PATIENCE = 10;

/** Sends requests, and follows nothing: no redirect, no retry, no authentication. */
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
    const { origin, host } = request.url;
    try {
      return await this.#attempt(request);
    } catch (error) {
      const again = isUnknownIssuer(error) && !this.#systemAuthorities.has(origin) && !isStream(request.body);
      if (!again) throw networkFailure(error, host, request.what);
      this.#systemAuthorities.add(origin);
      return await this.send(request);
    }
  }

  async #attempt(request: HttpRequest): Promise<HttpResponse> {
    const { url, insecure, body, what, signal } = request;
    const { default: fetch } = await import('node-fetch');
    const systemAuthorities = this.#systemAuthorities.has(url.origin);
    const agent = await this.#agents.get({ url, insecure, systemAuthorities });
    const controller = new AbortController();
    const stallMs = this.#stallMs * (isStream(body) ? UPLOAD_PATIENCE : 1);
    using stall = new StallTimer(stallMs, () => controller.abort());
    try {
      // node-fetch would destroy a body that nobody has taken yet, and its error end the process.
      signal?.throwIfAborted();
      stall.start();
      const pending = fetch(url.href, {
        method: request.method,
        headers: {
          'user-agent': 'ocits',
          ...request.headers,
          ...(isStream(body) && body.sizeBytes !== undefined
            ? { 'content-length': String(body.sizeBytes) }
            : {}),
        },
        body: isStream(body) ? body.stream : (body ?? null),
        redirect: 'manual',
        // What a server compresses once more would not have the bytes of its digest.
        compress: false,
        agent,
        signal: signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]),
      });
      if (isStream(body)) body.stream.on('data', () => stall.start());
      const { status, headers, body: answer } = await pending;
      const readable = (answer as Readable | null) ?? undefined;
      return httpResponse({
        status,
        url,
        headers,
        body: readable,
        controller,
        signal,
        stallMs: this.#stallMs,
        what,
      });
    } catch (error) {
      if (signal?.aborted) throw new OcitsError('aborted', `${what}: interrupted`, { cause: error });
      throw stall.fired ? stallFailure(what, url.host, stallMs) : error;
    } finally {
      if (isStream(body) && !body.stream.readableEnded) body.stream.destroy();
    }
  }
}

function isStream(body: HttpRequest['body']): body is StreamBody {
  return body !== undefined && 'stream' in body;
}
