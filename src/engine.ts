import type { Access } from './access.ts';
import type { NetworkController } from './network/controller.ts';
import type { Registry } from './registry/client/registry.ts';
import type { Supervisor } from './runtime/supervisor.ts';
import type { Snapshotter } from './snapshotter/snapshotter.ts';
import type { ContentRoots } from './store/content-roots.ts';
import type { Store } from './store/store.ts';
import type { HostPaths } from './system/paths.ts';
import type { VolumeStore } from './volume/volume.ts';

/**
 * All that the functions of images, builds and containers work with. It lives as long as the process, or as the
 * program that uses the library wants it, and serves any number of calls, also at the same time. A part is loaded and
 * opened when it is first asked for; where that fails, the next one that asks tries again. Disposing ends the
 * connections and threads that are left, and what is under way must have ended before.
 *
 *     await using engine = openEngine();
 *     const record = await createContainer(engine, openCall('run', { signal }), request);
 */
export interface Engine extends AsyncDisposable {
  readonly paths: HostPaths;
  readonly access: Access;
  store(): Promise<Store>;
  snapshotter(): Promise<Snapshotter>;
  registry(): Promise<Registry>;
  network(): Promise<NetworkController>;
  volumes(): Promise<VolumeStore>;
  /** Runs what ends before its caller does: a RUN step. */
  supervisor(): Promise<Supervisor>;
  /** What needs images and layers besides their names: for removal and pruning. */
  contentRoots(): Promise<ContentRoots>;
}
