import { type Call, openCall } from '../../../src/call.ts';
import type { Engine } from '../../../src/engine.ts';
import { openEngine } from '../../../src/open-engine.ts';
import type { ProgressEvent } from '../../../src/progress.ts';
import type { Registry } from '../../../src/registry/client/registry.ts';
import type { Snapshotter } from '../../../src/snapshotter/snapshotter.ts';
import type { ImageUser } from '../../../src/store/content-roots.ts';
import type { Store } from '../../../src/store/store.ts';

/** An engine, its parts in reach, and a call whose events are kept. */
export interface TestHost {
  readonly engine: Engine;
  readonly call: Call;
  readonly store: Store;
  readonly snapshotter: Snapshotter;
  readonly events: ProgressEvent[];
}

/** `store` and `snapshotter` stand in for the engine's own. */
export function testHost(store: Store, snapshotter: Snapshotter): TestHost {
  const events: ProgressEvent[] = [];
  return {
    engine: {
      ...openEngine({ paths: store.paths }),
      store: async () => store,
      snapshotter: async () => snapshotter,
    },
    call: openCall('test', { emit: (event) => void events.push(event) }),
    store,
    snapshotter,
    events,
  };
}

/** The same engine with another way to registries. */
export function withRegistry({ engine }: Pick<TestHost, 'engine'>, registry: Registry): Engine {
  return { ...engine, registry: async () => registry };
}

/** The same engine, as if these containers were there, and no others. */
export function withUsers({ engine }: Pick<TestHost, 'engine'>, ...users: readonly ImageUser[]): Engine {
  return { ...engine, contentRoots: async () => ({ roots: [], users: async () => users }) };
}
