import type { Call } from '../../call.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import type { Credential } from '../auth/auth-file.ts';
import { findCredential } from '../auth/credentials.ts';
import { type ConfigFolders, configFolders } from '../config/config-folders.ts';
import { type Endpoint, pathsAt, pullEndpoints, pushEndpoint } from '../config/endpoints.ts';
import { loadRegistriesConf } from '../config/load-registries-conf.ts';
import { Agents } from '../http/agents.ts';
import { DEFAULT_RETRY, type RetryContext, type RetryPolicy } from '../http/retry.ts';
import { Transport } from '../http/transport.ts';
import type { RepositoryClient } from '../registry-client.ts';
import { checkLogin } from '../session/login.ts';
import { RegistrySession } from '../session/registry-session.ts';
import { type RepositoryParts, repositoryClient } from './repository.ts';

export interface RegistryOptions {
  /** The default comes from the environment. */
  readonly folders?: ConfigFolders | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

/**
 * The room of clients: what a repository can be asked for, over its mirrors and attempts. The engine opens it; whoever
 * works with a repository has a `RepositoryClient` from here.
 *
 *     using registry = createRegistry();
 *     const root = await registry.repository(reference).resolve('latest', call);
 *
 * All registries, as the host's configuration says how to reach them: one object serves any number of calls, also at
 * the same time. Disposing closes the connections.
 */
export interface Registry extends Disposable {
  /**
   * The client of the reference's repository; the same one each time, so that tokens and connections are shared.
   * Its methods throw `denied` for a registry that is blocked, `invalid-config` for a faulty registries.conf.
   */
  repository(reference: Reference): RepositoryClient;
  /** Whether the registry takes the credential. Throws `unauthorized` where it does not, `network`. */
  checkLogin(registry: string, credential: Credential, call: Call): Promise<void>;
}

/** Reads no file and opens no connection until it is asked for something. */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const { folders = configFolders() } = options;
  const policy = { ...DEFAULT_RETRY, ...options.retry };
  const agents = new Agents(folders);
  const transport = new Transport(agents, policy.stallMs);
  const clients = new Map<string, RepositoryClient>();
  const sessions = new Map<string, RegistrySession>();
  let conf: ReturnType<typeof loadRegistriesConf> | undefined;
  const readConf = () => {
    conf ??= loadRegistriesConf(folders).catch((error: unknown) => {
      conf = undefined;
      throw error;
    });
    return conf;
  };

  const retry = (call: Call, isLast: boolean): RetryContext => ({
    ...call,
    // A mirror that fails has a stand-in, which is the quicker way on.
    policy: isLast ? policy : { ...policy, attempts: Math.min(policy.attempts, 2) },
  });

  const sessionAt = (endpoint: Endpoint): RegistrySession => {
    const { registry, path, host, insecure } = endpoint;
    const key = `${host}/${path} ${insecure}`;
    const known = sessions.get(key);
    if (known !== undefined) return known;
    const session = new RegistrySession(endpoint, transport, (signal) =>
      findCredential(registry, path, folders, signal),
    );
    sessions.set(key, session);
    return session;
  };

  const open = async (reference: Reference, { emit }: Call): Promise<RepositoryParts> => {
    const tables = await readConf();
    const endpoints = pullEndpoints(reference, tables);
    for (const { host, path, reason } of endpoints) {
      const text = `${formatReference(reference)}: ${host}/${path}, ${reason}`;
      emit({ type: 'message', level: 'debug', text });
    }
    const target = sessionAt(pushEndpoint(reference, tables));
    const mountPaths: RepositoryParts['mountPaths'] = (other) => pathsAt(target.endpoint.host, other, tables);
    return { sources: endpoints.map(sessionAt), target, mountPaths };
  };

  return {
    repository(reference) {
      const key = formatReference(reference);
      const known = clients.get(key);
      if (known !== undefined) return known;
      const client = repositoryClient(reference, (call) => open(reference, call), retry);
      clients.set(key, client);
      return client;
    },
    async checkLogin(registry, credential, call) {
      const tables = await readConf();
      await checkLogin({ registry, credential, tables, transport, retry: retry(call, true) });
    },
    [Symbol.dispose]: () => agents[Symbol.dispose](),
  };
}
