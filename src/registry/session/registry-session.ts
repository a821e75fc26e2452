import { OcitsError } from '../../errors.ts';
import { Authorizer } from '../auth/authorizer.ts';
import type { ChosenCredential } from '../auth/credentials.ts';
import { type Endpoint, isLoopback } from '../config/endpoints.ts';
import { suggestsOtherScheme } from '../http/network-failure.ts';
import { registryError } from '../http/registry-error.ts';
import type { HttpResponse } from '../http/response.ts';
import type { RetryContext } from '../http/retry.ts';
import type { HttpRequest, StreamBody, Transport } from '../http/transport.ts';

export interface SessionRequest {
  readonly method: HttpRequest['method'];
  /** A path at the endpoint, or a `Location` that an earlier answer gave. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Buffer | StreamBody | undefined;
  readonly scopes: readonly string[];
  readonly what: string;
}

const REDIRECT_LIMIT = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** RFC 9110 section 15.4: those that keep method and body. The others may make a GET of a request that writes. */
const KEEPING_REDIRECTS = new Set([307, 308]);

/**
 * The room of sessions: an endpoint that is spoken to, by whichever of http and https it takes and with the credentials
 * that it wants. Clients and uploads call it.
 *
 *     const session = new RegistrySession(endpoint, transport, (signal) => findCredential(registry, path, folders, signal));
 *     const response = await session.request({ method: 'GET', path: '/v2/', scopes: [], what }, retry);
 *
 * Requests to one repository at one endpoint: http or https, authentication and redirects are settled here. Nothing
 * is tried again after a failure; that is the caller's.
 */
export class RegistrySession {
  readonly endpoint: Endpoint;
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  /** `https://host`, once one request has shown that it works; requests before wait for the first one's answer. */
  #origin: Promise<URL> | undefined;
  #settled: URL | undefined;

  constructor(
    endpoint: Endpoint,
    transport: Transport,
    findCredential: (signal: AbortSignal) => Promise<ChosenCredential>,
  ) {
    this.endpoint = endpoint;
    this.#transport = transport;
    const { registry, insecure, trustedRealm } = endpoint;
    this.#authorizer = new Authorizer({ registry, insecure, trustedRealm, transport, findCredential });
  }

  /**
   * Any answer but 401 (after what could be done about it) and redirects: all of GET and HEAD are followed, and 307 and
   * 308 of what writes, unless its body is a stream that cannot be had again.
   */
  async request(request: SessionRequest, retry: RetryContext): Promise<HttpResponse> {
    if (typeof request.path !== 'string') return await this.#authorized(request.path, request, retry);
    const { path } = request;
    if (this.#origin !== undefined) {
      const origin = await this.#origin.catch(() => undefined);
      if (origin !== undefined) return await this.#authorized(new URL(path, origin), request, retry);
    }
    const probe = this.#probe(path, request, retry);
    this.#origin = probe.then(({ origin }) => origin);
    this.#origin.catch(() => {
      this.#origin = undefined;
    });
    const { origin, response } = await probe;
    this.#settled = origin;
    return response;
  }

  /** The error that an answer stands for. */
  async error(response: HttpResponse, what: string): Promise<Error> {
    return await registryError(response, {
      what,
      registry: this.endpoint.registry,
      credentialSource: this.#authorizer.credentialSource,
    });
  }

  /**
   * A `Location` that the registry gave. What names the registry itself by http although it is spoken to by https
   * (a proxy ends the TLS) is put right. Throws `hostile`, `denied` (plain http elsewhere).
   */
  resolveLocation(response: HttpResponse, what: string): URL {
    const location = response.header('location') ?? '';
    const base = response.url;
    const url = location !== '' && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
      throw new OcitsError('hostile', `${what}: ${base.host} names no address to go on at`);
    }
    if (url.protocol === 'https:' || base.protocol === 'http:') return url;
    if (url.hostname === base.hostname && (url.port === '' || url.port === base.port)) {
      return new URL(`${base.origin}${url.pathname}${url.search}`);
    }
    if (this.endpoint.insecure || (isLoopback(url.host) && isLoopback(base.host))) return url;
    throw new OcitsError(
      'denied',
      `${what}: ${base.host} redirects to plain http at ${url.host}, which is refused`,
    );
  }

  async #probe(
    path: string,
    request: SessionRequest,
    retry: RetryContext,
  ): Promise<{ origin: URL; response: HttpResponse }> {
    const [first, second] = this.#schemes();
    const at = async (scheme: string) => {
      const origin = new URL(`${scheme}://${this.endpoint.host}`);
      return { origin, response: await this.#authorized(new URL(path, origin), request, retry) };
    };
    let plain: { origin: URL; response: HttpResponse };
    try {
      plain = await at(first!);
      if (second !== 'https' || !maySpeakTls(plain.response)) return plain;
    } catch (error) {
      if (second === undefined || !suggestsOtherScheme(error)) throw error;
      return await at(second).catch((other: unknown) => {
        throw suggestsOtherScheme(other) ? error : other;
      });
    }
    return await at(second).catch(() => plain);
  }

  /**
   * Plain http only for what is configured as insecure, and on this machine: there http goes first, since that is
   * what registries on this machine speak.
   */
  #schemes(): readonly ('http' | 'https')[] {
    if (isLoopback(this.endpoint.host)) return ['http', 'https'];
    return this.endpoint.insecure ? ['https', 'http'] : ['https'];
  }

  async #authorized(url: URL, request: SessionRequest, retry: RetryContext): Promise<HttpResponse> {
    const own = this.#isOwn(url);
    const { scopes } = request;
    const header = own ? await this.#authorizer.header(url, scopes, retry) : undefined;
    const response = await this.#transport.send(this.#httpRequest(url, request, header, retry));
    if (response.status !== 401 || !own) return await this.#follow(response, request, retry);
    const challenge = response.header('www-authenticate');
    if (!(await this.#authorizer.learn(challenge, header, scopes))) return response;
    const next = await this.#authorizer.header(url, scopes, retry);
    // A stream is used up by now; the caller begins anew, and is known then.
    if (next === undefined || isStream(request.body)) return response;
    response.discard();
    return await this.#follow(
      await this.#transport.send(this.#httpRequest(url, request, next, retry)),
      request,
      retry,
    );
  }

  /** Redirects go on without credentials, which belong to the registry alone. */
  async #follow(first: HttpResponse, request: SessionRequest, retry: RetryContext): Promise<HttpResponse> {
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const followed = reads ? REDIRECTS : KEEPING_REDIRECTS;
    let response = first;
    for (let hops = 0; followed.has(response.status) && canSendAgain(request.body); hops++) {
      if (hops >= REDIRECT_LIMIT) {
        response.discard();
        throw new OcitsError('network', `${request.what}: more than ${REDIRECT_LIMIT} redirects`);
      }
      const url = this.resolveLocation(response, request.what);
      response.discard();
      const own = this.#isOwn(url);
      const header = own ? await this.#authorizer.header(url, request.scopes, retry) : undefined;
      const body = await sentAgain(request.body);
      response = await this.#transport.send(this.#httpRequest(url, { ...request, body }, header, retry));
    }
    return response;
  }

  #httpRequest(
    url: URL,
    { method, headers, body, what }: SessionRequest,
    authorization: string | undefined,
    { signal }: RetryContext,
  ): HttpRequest {
    const insecure = this.endpoint.insecure || isLoopback(url.host);
    const own = authorization === undefined ? headers : { ...headers, authorization };
    return { method, url, headers: own, body, insecure, signal, what };
  }

  /** Whether `url` is the registry itself, by a way in which it may be spoken to. */
  #isOwn(url: URL): boolean {
    if (url.host !== new URL(`${url.protocol}//${this.endpoint.host}`).host) return false;
    if (url.protocol === 'https:') return true;
    // Once https has answered, plain http is another place.
    return this.#settled?.protocol !== 'https:' && this.#schemes().includes('http');
  }
}

/** A server of https answers plain http with 400, if at all; a registry says what it is. */
function maySpeakTls(response: HttpResponse): boolean {
  return response.status === 400 && response.header('docker-distribution-api-version') === undefined;
}

function isStream(body: SessionRequest['body']): body is StreamBody {
  return body !== undefined && 'stream' in body;
}

function canSendAgain(body: SessionRequest['body']): boolean {
  return !isStream(body) || body.reopen !== undefined;
}

async function sentAgain(body: SessionRequest['body']): Promise<SessionRequest['body']> {
  return isStream(body) && body.reopen !== undefined ? { ...body, stream: await body.reopen() } : body;
}
