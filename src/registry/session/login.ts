import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Credential } from '../auth/auth-file.ts';
import { pushEndpoint } from '../config/endpoints.ts';
import type { RegistryConf } from '../config/registries-conf.ts';
import { type RetryContext, withRetry } from '../http/retry.ts';
import type { Transport } from '../http/transport.ts';
import { RegistrySession } from './registry-session.ts';

export interface LoginCheck {
  /** `host[:port]`, `docker.io` for Docker Hub. */
  readonly registry: string;
  readonly credential: Credential;
  readonly tables: readonly RegistryConf[];
  readonly transport: Transport;
  readonly retry: RetryContext;
}

/**
 * Asks the registry's root (distribution-spec *Determining Support*) with the credential and nothing else. Throws
 * `unauthorized` where it is refused, `network` where no registry answers.
 */
export async function checkLogin({
  registry,
  credential,
  tables,
  transport,
  retry,
}: LoginCheck): Promise<void> {
  const endpoint = pushEndpoint({ domain: registry, path: '' }, tables);
  const source = 'this login';
  const found = { credential, source, reason: `credentials for ${registry}: those of the login` };
  const session = new RegistrySession(endpoint, transport, () => Promise.resolve(found));
  const what = `log in to ${registry}`;
  try {
    await withRetry(what, retry, async () => {
      const response = await session.request({ method: 'GET', path: '/v2/', scopes: [], what }, retry);
      if (response.status !== 200) throw await session.error(response, what);
      response.discard();
    });
  } catch (error) {
    if (!isOcitsError(error, 'unauthorized', 'denied')) throw error;
    const hint = 'check the name and the password (or token)';
    throw new OcitsError('unauthorized', error.message, { cause: error, hint });
  }
}
