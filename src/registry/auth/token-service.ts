import { OcitsError } from '../../errors.ts';
import { isLoopback } from '../config/endpoints.ts';
import { registryError } from '../http/registry-error.ts';
import { type RetryContext, withRetry } from '../http/retry.ts';
import type { HttpRequest, Transport } from '../http/transport.ts';
import type { Credential } from './auth-file.ts';
import type { AuthChallenge } from './challenge.ts';

const TOKEN_LIMIT_BYTES = 1024 * 1024;
const LEAST_LIFETIME_SECONDS = 60;
const LEEWAY_SECONDS = 10;
const REDIRECT_LIMIT = 3;

export interface Realm {
  readonly url: URL;
  readonly service: string | undefined;
}

export interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

export interface TokenRequest {
  readonly realm: Realm;
  /** What the token is to be good for; never more than the work at hand needs. */
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  readonly credentialSource: string | undefined;
  /** The registry's name, for errors. */
  readonly registry: string;
  readonly insecure: boolean;
}

/** The realm that a Bearer challenge names. Throws `hostile` for what is no http or https URL. */
export function parseRealm(challenge: AuthChallenge, registry: string): Realm {
  const { realm = '', service } = challenge.params;
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw new OcitsError('hostile', `${registry} names a token service that is no http or https address`);
  }
  return { url, service };
}

/**
 * Whether credentials for the registry at `registryUrl` may be sent to the realm: by https, and not on the word of
 * a registry that anyone on the way could have spoken for; or all of it on this machine; or to the one realm that the
 * user trusts, however it is reached.
 */
export function mayReceiveCredentials(
  realm: URL,
  { registryUrl, trustedRealm }: { readonly registryUrl: URL; readonly trustedRealm?: string | undefined },
): boolean {
  if (`${realm.origin}${realm.pathname}` === trustedRealm) return true;
  if (isLoopback(registryUrl.host)) return realm.protocol === 'https:' || isLoopback(realm.host);
  return realm.protocol === 'https:' && registryUrl.protocol === 'https:';
}

/**
 * Gets a token (distribution-spec's token authentication; an identity token by OAuth 2). Credentials go nowhere but
 * to the realm itself: a redirect is followed only within its origin. Throws `unauthorized`, `denied`, `hostile`,
 * `network`.
 */
export async function requestToken(
  transport: Transport,
  request: TokenRequest,
  retry: RetryContext,
): Promise<Token> {
  const what = `token for ${request.scopes.join(' ') || request.registry}`;
  return await withRetry(what, retry, async () => {
    let spec = tokenHttpRequest(request, what, retry.signal);
    for (let hops = 0; ; hops++) {
      const response = await transport.send(spec);
      const location =
        response.status >= 300 && response.status < 400 ? response.header('location') : undefined;
      if (location === undefined) {
        if (response.status !== 200) {
          const { registry, credentialSource } = request;
          throw await registryError(response, { what, registry, credentialSource });
        }
        return readToken(await response.read(TOKEN_LIMIT_BYTES), request.realm.url.host);
      }
      response.discard();
      const next = URL.canParse(location, spec.url.href) ? new URL(location, spec.url) : undefined;
      if (next?.origin !== spec.url.origin || hops >= REDIRECT_LIMIT) {
        throw new OcitsError(
          'denied',
          `${what}: ${spec.url.host} redirects to another place, which is not followed`,
        );
      }
      spec = { ...spec, url: next };
    }
  });
}

function tokenHttpRequest(request: TokenRequest, what: string, signal: AbortSignal): HttpRequest {
  const { realm, scopes, credential, insecure } = request;
  const params = new URLSearchParams();
  if (realm.service !== undefined) params.set('service', realm.service);
  for (const scope of scopes) params.append('scope', scope);
  if (credential?.kind === 'identity-token') {
    params.set('scope', scopes.join(' '));
    params.set('grant_type', 'refresh_token');
    params.set('client_id', 'ocits');
    params.set('refresh_token', credential.token);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return {
      method: 'POST',
      url: realm.url,
      headers,
      body: Buffer.from(params.toString()),
      insecure,
      signal,
      what,
    };
  }
  const url = new URL(realm.url);
  if (credential !== undefined) params.set('account', credential.username);
  for (const [name, value] of params) url.searchParams.append(name, value);
  const headers = credential === undefined ? {} : { authorization: basicHeader(credential) };
  return { method: 'GET', url, headers, insecure, signal, what };
}

function readToken(content: Buffer, host: string): Token {
  let answer: Record<string, unknown>;
  try {
    answer = (JSON.parse(content.toString('utf8')) ?? {}) as Record<string, unknown>;
  } catch {
    throw new OcitsError('hostile', `the token service ${host} did not answer with JSON`);
  }
  const value = answer['token'] ?? answer['access_token'];
  // What is no header's value must not become one.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new OcitsError('hostile', `the token service ${host} sent no token`);
  }
  const seconds = Number(answer['expires_in'] ?? LEAST_LIFETIME_SECONDS);
  const lifetime = Number.isFinite(seconds)
    ? Math.max(seconds, LEAST_LIFETIME_SECONDS)
    : LEAST_LIFETIME_SECONDS;
  return { value, expiresAt: Date.now() + (lifetime - LEEWAY_SECONDS) * 1000 };
}

/** RFC 7617, in UTF-8. */
export function basicHeader(credential: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}
