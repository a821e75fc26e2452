import { type Access, decideAccess } from './access.ts';
import type { Engine } from './engine.ts';
import type { ContentRoots, LiveContent } from './store/content-roots.ts';
import { type HostPaths, hostPaths } from './system/paths.ts';
import { retriedOnce } from './system/task/once.ts';

export interface EngineOptions {
  /** The default comes from the environment: see `hostPaths`. */
  readonly paths?: HostPaths | undefined;
  /** The default is what this process may do. */
  readonly access?: Access | undefined;
}

/** Costs nothing by itself: a part is loaded, and touches files, when it is first asked for. */
export function openEngine({ paths = hostPaths(), access = decideAccess() }: EngineOptions = {}): Engine {
  const store = retriedOnce(async () => (await import('./store/open-store.ts')).openStore(paths));
  const snapshotter = retriedOnce(async () => {
    const { createOverlaySnapshotter } = await import('./snapshotter/overlay-snapshotter.ts');
    return createOverlaySnapshotter(paths, { access });
  });
  const registry = retriedOnce(async () => (await import('./registry/client/registry.ts')).createRegistry());
  return {
    paths,
    access,
    store,
    snapshotter,
    registry,
    network: retriedOnce(async () => {
      const [{ openNetworkController }, { networkSettings }] = await Promise.all([
        import('./network/open-controller.ts'),
        import('./network/settings.ts'),
      ]);
      return openNetworkController(paths, { ...networkSettings(), driver: access.networkDriver });
    }),
    volumes: retriedOnce(async () => (await import('./volume/volume-store.ts')).createVolumeStore(paths)),
    supervisor: retriedOnce(async () => {
      const { createDirectSupervisor } = await import('./runtime/crun/direct-supervisor.ts');
      return createDirectSupervisor(paths);
    }),
    contentRoots: retriedOnce(async () => await allContentRoots(paths)),
    async [Symbol.asyncDispose]() {
      const [connections, layers] = await Promise.all([registry.made(), snapshotter.made()]);
      connections?.[Symbol.dispose]();
      await layers?.[Symbol.asyncDispose]();
      if (connections !== undefined) await closingPhase();
    },
  };
}

/**
 * Resolves once the event loop has closed the handles that were given up before. The loop closes them after the
 * callbacks of setImmediate, so it takes two turns.
 */
async function closingPhase(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Containers, and the records of the build cache. */
async function allContentRoots(paths: HostPaths): Promise<ContentRoots> {
  const { containerRoots } = await import('./container/record/roots.ts');
  const containers = containerRoots(paths);
  return { users: containers.users, roots: [...containers.roots, () => cachedSteps(paths)] };
}

async function cachedSteps(paths: HostPaths): Promise<readonly LiveContent[]> {
  const { buildCacheContent, openBuildCache } = await import('./builder/solve/build-cache.ts');
  return await buildCacheContent(openBuildCache(paths.root));
}
