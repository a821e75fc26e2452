import { type Call, withSignal } from '../../../src/call.ts';
import type { Registry } from '../../../src/registry/client/registry.ts';
import type { RepositoryClient } from '../../../src/registry/registry-client.ts';

type WithoutCall<F> = F extends (...args: [...infer A, Call]) => infer R
  ? (...args: [...A, signal?: AbortSignal | undefined]) => R
  : never;

/** A repository's client that asks on behalf of one call, which may be ended by a signal of its own each time. */
export type BoundClient = Pick<RepositoryClient, 'reference'> & {
  readonly [K in Exclude<keyof RepositoryClient, 'reference'>]: WithoutCall<RepositoryClient[K]>;
};

export interface BoundRegistry {
  repository(...args: Parameters<Registry['repository']>): BoundClient;
  checkLogin: WithoutCall<Registry['checkLogin']>;
}

export function boundRegistry(registry: Registry, call: Call): BoundRegistry {
  return {
    repository: (reference) => boundClient(registry.repository(reference), call),
    checkLogin: (server, credential, signal) => registry.checkLogin(server, credential, ended(call, signal)),
  };
}

function boundClient(client: RepositoryClient, call: Call): BoundClient {
  return {
    reference: client.reference,
    resolve: (target, signal) => client.resolve(target, ended(call, signal)),
    resolvePushed: (target, signal) => client.resolvePushed(target, ended(call, signal)),
    fetchManifest: (target, signal) => client.fetchManifest(target, ended(call, signal)),
    fetchBlob: (blob, offset, signal) => client.fetchBlob(blob, offset, ended(call, signal)),
    listTags: (signal) => client.listTags(ended(call, signal)),
    hasBlob: (digest, signal) => client.hasBlob(digest, ended(call, signal)),
    uploadBlob: (upload, signal) => client.uploadBlob(upload, ended(call, signal)),
    streamBlob: (upload, signal) => client.streamBlob(upload, ended(call, signal)),
    putManifest: (target, content, type, signal) =>
      client.putManifest(target, content, type, ended(call, signal)),
  };
}

function ended(call: Call, signal: AbortSignal | undefined): Call {
  return signal === undefined ? call : withSignal(call, signal);
}
