import { join } from 'node:path';
import type { HostPaths } from '../../system/paths.ts';

/** Where a container's files are; all absolute. Beside them are those of the runtime: `pid`, `exit.json`, `log`, `bundle/`. */
export interface ContainerFolder {
  readonly folder: string;
  readonly spec: string;
  /** The snapshotter's: what the container writes. */
  readonly writable: string;
  /** Where the root filesystem is mounted, in the container's mount namespace alone. */
  readonly rootfs: string;
  /** `hosts`, `hostname` and `resolv.conf`, which are bound over the image's. */
  readonly etc: string;
}

export function containersFolder(paths: HostPaths): string {
  return join(paths.root, 'containers');
}

/** The files of the container `id`; nothing is made or checked. */
export function containerFolder(paths: HostPaths, id: string): ContainerFolder {
  return filesIn(join(containersFolder(paths), id));
}

/** The same for a container that has another folder for now. */
export function filesIn(folder: string): ContainerFolder {
  return {
    folder,
    spec: join(folder, 'spec.json'),
    writable: join(folder, 'rw'),
    rootfs: join(folder, 'rootfs'),
    etc: join(folder, 'etc'),
  };
}

/** The lock that whoever starts, clears up or removes a container holds. */
export function containerLock(paths: HostPaths, id: string): string {
  return join(paths.run, 'locks', `container-${id}`);
}
