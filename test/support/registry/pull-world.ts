import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { withSignal } from '../../../src/call.ts';
import { type Pulled, type PullRequest, pullImage } from '../../../src/image/transfer/pull-image.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { hostPlatform, type Platform, parsePlatform } from '../../../src/oci/platform.ts';
import { exactName, parseReference } from '../../../src/oci/reference.ts';
import type { LayerEvent, ProgressEvent } from '../../../src/progress.ts';
import type { Registry } from '../../../src/registry/client/registry.ts';
import type { RetryPolicy } from '../../../src/registry/http/retry.ts';
import { withRegistry } from '../image/test-host.ts';
import { type UnpackingHost, unpackingHost } from '../image/unpacking-host.ts';
import { PATIENCE_MS } from '../program/patience.ts';
import { type ConfigHost, configHost } from './registry-config.ts';
import { layerOf, tarOf } from './remote-image.ts';

/** A host with a store, a configuration of registries and what has been told of its pulls and pushes. */
export interface PullWorld extends AsyncDisposable {
  readonly host: UnpackingHost;
  readonly events: ProgressEvent[];
  readonly config: ConfigHost;
  readonly registry: Registry;
  /** Pulls with the policy `always`. */
  pull(name: string, more?: Partial<PullRequest> & { readonly signal?: AbortSignal }): Promise<Pulled>;
  /** How many names there are. */
  names(): Promise<number>;
}

/** `retry` replaces some of the tests' usual patience. */
export async function pullWorld(retry: Partial<RetryPolicy> = {}): Promise<PullWorld> {
  const host = await unpackingHost();
  const config = await configHost();
  const registry = config.registries(retry);
  return {
    host,
    events: host.events,
    config,
    registry,
    pull: (name, { signal, ...more } = {}) =>
      pullImage(
        withRegistry(host, registry),
        signal === undefined ? host.call : withSignal(host.call, signal),
        {
          reference: exactName(parseReference(name)),
          policy: 'always',
          ...more,
        },
      ),
    names: async () => (await host.store.refs.list()).length,
    async [Symbol.asyncDispose]() {
      await config[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

/** Waits until so many bytes of downloads that are not done lie on the disk of the store at `root`. */
export async function partialBytes(root: string, least: number): Promise<void> {
  const folder = join(root, 'partial');
  const sizes = () => readdirSync(folder).map((name) => lstatSync(join(folder, name)).size);
  await vi.waitUntil(() => sizes().reduce((sum, size) => sum + size, 0) >= least, PATIENCE_MS);
}

/** The states that a layer went through, each change once. */
export function statesOf(events: readonly ProgressEvent[], digest: Digest): string[] {
  const own = events.filter(
    (event): event is LayerEvent => event.type === 'layer' && event.digest === digest,
  );
  return own.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
}

export const here: Platform = hostPlatform();
export const elsewhere: Platform = parsePlatform(
  here.architecture === 's390x' ? 'linux/riscv64' : 'linux/s390x',
);

/** Three layers, in all the forms that a layer can have. */
export const one = layerOf(tarOf({ 'etc/': '', 'etc/one': 'first' }));
export const two = layerOf(tarOf({ 'etc/two': 'second' }), 'zstd');
export const three = layerOf(tarOf({ 'usr/': '', 'usr/three': 'third' }), 'none');
