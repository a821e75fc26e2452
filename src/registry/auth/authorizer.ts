import { isOcitsError, OcitsError } from '../../errors.ts';
import { warning } from '../../progress.ts';
import { isLoopback } from '../config/endpoints.ts';
import type { TrustedRealm } from '../config/registries-conf.ts';
import type { RetryContext } from '../http/retry.ts';
import type { Transport } from '../http/transport.ts';
import { type AuthChallenge, parseChallenges } from './challenge.ts';
import type { ChosenCredential } from './credentials.ts';
import {
  basicHeader,
  mayReceiveCredentials,
  parseRealm,
  type Realm,
  requestToken,
  type Token,
} from './token-service.ts';

type Scheme = { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly realm: Realm };

export interface AuthorizerOptions {
  readonly registry: string;
  readonly insecure: boolean;
  readonly trustedRealm: TrustedRealm | undefined;
  readonly transport: Transport;
  /** Called when the registry first asks for it, and again only where that failed. */
  readonly findCredential: (signal: AbortSignal) => Promise<ChosenCredential>;
}

/**
 * What one registry wants to be shown. It is learnt from the registry's challenges; tokens are kept by scope, for as
 * long as they last.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Promise<Token>>();
  #scheme: Scheme | undefined;
  #chosen: Promise<ChosenCredential> | undefined;
  #source: string | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Where the credentials that are shown came from; undefined where none are. */
  get credentialSource(): string | undefined {
    return this.#source;
  }

  /** The `Authorization` header for a request to `url`; undefined as long as it is not known that one is wanted. */
  async header(url: URL, scopes: readonly string[], retry: RetryContext): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    if (scheme.kind === 'bearer') {
      return `Bearer ${(await this.#token(scheme.realm, url, scopes, retry)).value}`;
    }
    const { credential } = await this.#credential(retry);
    if (credential?.kind !== 'basic') return undefined;
    if (url.protocol === 'http:' && !isLoopback(url.host) && this.#source === undefined) {
      retry.emit(
        warning(`the password for ${this.#options.registry} goes over plain http, as insecure = true allows`),
      );
    }
    this.#source = (await this.#credential(retry)).source;
    return basicHeader(credential);
  }

  /**
   * Takes in the answer 401 to a request that carried `used`. True where a further try may succeed: it had no
   * header, or a token that may have expired.
   */
  async learn(
    challenge: string | undefined,
    used: string | undefined,
    scopes: readonly string[],
  ): Promise<boolean> {
    const scheme = chooseScheme(parseChallenges(challenge ?? ''), this.#options.registry);
    if (scheme === undefined) return false;
    this.#scheme = scheme;
    if (used === undefined) return true;
    if (!used.startsWith('Bearer ')) return false;
    const key = scopes.join(' ');
    const token = await this.#tokens.get(key)?.catch(() => undefined);
    if (token !== undefined && used === `Bearer ${token.value}`) this.#tokens.delete(key);
    return true;
  }

  async #token(realm: Realm, url: URL, scopes: readonly string[], retry: RetryContext): Promise<Token> {
    const key = scopes.join(' ');
    const pending = this.#tokens.get(key);
    if (pending !== undefined) {
      const known = await unlessAborted(pending, retry);
      if (known !== undefined && known.expiresAt > Date.now()) return known;
      if (this.#tokens.get(key) === pending) this.#tokens.delete(key);
      return await this.#token(realm, url, scopes, retry);
    }
    const fresh = this.#requestToken(realm, url, scopes, retry);
    this.#tokens.set(key, fresh);
    fresh.catch(() => {
      if (this.#tokens.get(key) === fresh) this.#tokens.delete(key);
    });
    return await fresh;
  }

  async #requestToken(
    realm: Realm,
    url: URL,
    scopes: readonly string[],
    retry: RetryContext,
  ): Promise<Token> {
    const { registry, transport, insecure } = this.#options;
    const chosen = await this.#credential(retry);
    const allowed = chosen.credential === undefined || this.#mayGoTo(realm.url, url, retry);
    const credential = allowed ? chosen.credential : undefined;
    const credentialSource = allowed ? chosen.source : undefined;
    this.#source = credentialSource;
    return await requestToken(
      transport,
      {
        realm,
        scopes,
        credential,
        credentialSource,
        registry,
        insecure:
          (insecure && realm.url.host === url.host) || (isLoopback(url.host) && isLoopback(realm.url.host)),
      },
      retry,
    );
  }

  /** Whether the registry's credentials may go to the realm; with a warning where they may not, or go unprotected. */
  #mayGoTo(realm: URL, registryUrl: URL, retry: RetryContext): boolean {
    const { registry, trustedRealm } = this.#options;
    if (!mayReceiveCredentials(realm, { registryUrl, trustedRealm: trustedRealm?.url })) {
      const key = `trusted-realm = ${JSON.stringify(`${realm.origin}${realm.pathname}`)}`;
      retry.emit(
        warning(
          `the credentials for ${registry} are not sent to ${realm.origin}, which is not safe to send them to; ${key} in registries.conf would allow it`,
        ),
      );
      return false;
    }
    if (trustedRealm !== undefined && !mayReceiveCredentials(realm, { registryUrl })) {
      const way = realm.protocol === 'http:' ? ' over plain http' : '';
      retry.emit(
        warning(
          `the password for ${registry} goes to ${realm.origin}${way}, as trusted-realm in ${trustedRealm.file} allows`,
        ),
      );
    }
    return true;
  }

  async #credential(retry: RetryContext): Promise<ChosenCredential> {
    this.#chosen ??= this.#findCredential(retry);
    return (await unlessAborted(this.#chosen, retry)) ?? (await this.#credential(retry));
  }

  async #findCredential(retry: RetryContext): Promise<ChosenCredential> {
    try {
      const chosen = await this.#options.findCredential(retry.signal);
      retry.emit({ type: 'message', level: 'debug', text: chosen.reason });
      return chosen;
    } catch (error) {
      this.#chosen = undefined;
      throw error;
    }
  }
}

/** What one call has begun for all; undefined where it ended early with that call, so that this one begins anew. */
async function unlessAborted<T>(shared: Promise<T>, { signal }: RetryContext): Promise<T | undefined> {
  try {
    return await shared;
  } catch (error) {
    if (signal.aborted || !isOcitsError(error, 'aborted')) throw error;
    return undefined;
  }
}

/** Bearer where it is offered, else Basic. Throws `hostile`, `unsupported`. */
function chooseScheme(challenges: readonly AuthChallenge[], registry: string): Scheme | undefined {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer !== undefined) return { kind: 'bearer', realm: parseRealm(bearer, registry) };
  if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' };
  const [other] = challenges;
  if (other === undefined) return undefined;
  throw new OcitsError(
    'unsupported',
    `${registry} wants an authentication that ocits does not know: ${other.scheme.slice(0, 40)}`,
  );
}
