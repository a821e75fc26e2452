import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { RetryPolicy } from '../../../src/registry/http/retry.ts';
import type { BoundClient } from './bound-client.ts';
import { FakeRegistry } from './fake-registry.ts';
import { type ConfigHost, configHost } from './registry-config.ts';

/** A fake registry, and the client of its repository `a/b` on a host without any configuration. */
export interface FakeRepository extends AsyncDisposable {
  readonly fake: FakeRegistry;
  readonly host: ConfigHost;
  readonly client: BoundClient;
}

/** `retry` replaces some of the tests' usual patience. */
export async function fakeRepository(retry: Partial<RetryPolicy> = {}): Promise<FakeRepository> {
  const fake = await FakeRegistry.start();
  const host = await configHost();
  return {
    fake,
    host,
    client: host.registry(retry).repository(parseReference(`${fake.host}/a/b:1`)),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** All that `fetchBlob` gives. */
export async function fetchAll(client: BoundClient, blob: Descriptor, offset = 0, signal?: AbortSignal) {
  const { body, resumed } = await client.fetchBlob(blob, offset, signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return { content: Buffer.concat(chunks), resumed };
}
