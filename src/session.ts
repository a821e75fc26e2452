import { openCall } from './call.ts';
import type { ImageHost } from './image/image.ts';
import type { NetworkDriver } from './network/network.ts';
import type { NewsSink, ProgressSink } from './progress.ts';
import type { Registry } from './registry/client/registry.ts';
import type { Snapshotter } from './snapshotter/snapshotter.ts';
import type { ContentRoots } from './store/content-roots.ts';
import type { Store } from './store/store.ts';
import { type HostPaths, hostPaths } from './system/paths.ts';
import { once } from './system/task/once.ts';
import type { VolumeStore } from './volume/volume.ts';

/** What one command, or one call of the library, works with. A part is loaded and opened when it is first asked for. */
export interface Session {
  readonly paths: HostPaths;
  readonly emit: NewsSink;
  readonly signal: AbortSignal;
  store(): Promise<Store>;
  snapshotter(): Promise<Snapshotter>;
  imageHost(): Promise<ImageHost>;
  /** What needs images besides their names: for removal and pruning. */
  imageHolders(): Promise<ContentRoots>;
  registry(): Promise<Registry>;
  network(): Promise<NetworkDriver>;
  volumes(): Promise<VolumeStore>;
}

export interface SessionOptions {
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
  /** The default comes from the environment: see `hostPaths`. */
  readonly paths?: HostPaths;
}

/** Costs nothing by itself: files are touched by the parts. */
export function openSession({ emit: sink, signal, paths = hostPaths() }: SessionOptions): Session {
  const { emit } = openCall('command', { signal, emit: sink });
  const store = once(async () => (await import('./store/open-store.ts')).openStore(paths));
  const snapshotter = once(async () =>
    (await import('./snapshotter/overlay/overlay-snapshotter.ts')).createOverlaySnapshotter(paths),
  );
  return {
    paths,
    emit,
    signal,
    store,
    snapshotter,
    imageHost: once(async () => ({ store: await store(), snapshotter: await snapshotter(), emit })),
    imageHolders: once(async () => (await import('./holders.ts')).allHolders(paths)),
    registry: once(async () => (await import('./registry/client/registry.ts')).createRegistry({ emit })),
    network: once(async () => (await import('./network/network-driver.ts')).createNetworkDriver(paths)),
    volumes: once(async () => (await import('./volume/volume-store.ts')).createVolumeStore(paths)),
  };
}
