import type { NetworkDriver } from '../network/network.ts';
import type { NewsSink } from '../progress.ts';
import type { Registry } from '../registry/client/registry.ts';
import type { Snapshotter } from '../snapshotter/snapshotter.ts';
import type { Store } from '../store/store.ts';
import type { HostPaths } from '../system/paths.ts';
import type { VolumeStore } from '../volume/volume.ts';

/** What the functions of containers work on. Parts are opened when they are first asked for. */
export interface ContainerHost {
  readonly paths: HostPaths;
  readonly emit: NewsSink;
  store(): Promise<Store>;
  snapshotter(): Promise<Snapshotter>;
  registry(): Promise<Registry>;
  network(): Promise<NetworkDriver>;
  volumes(): Promise<VolumeStore>;
}
