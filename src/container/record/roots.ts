import type { ContentRoots } from '../../store/content-roots.ts';
import type { HostPaths } from '../../system/paths.ts';
import { readContainers } from './catalog.ts';
import { containerState, hasAttendant } from './state.ts';

/** What containers need of images: the collection of garbage keeps it, and `rmi` asks who uses an image. */
export function containerRoots(paths: HostPaths): ContentRoots {
  return {
    roots: [
      async () => {
        const records = await readContainers(paths);
        return records.map(({ image, damage }) =>
          // The keys of layers that it stands on keep them, each as a stack of its own.
          damage === undefined
            ? { manifests: [image.manifest], stacks: [image.diffIds] }
            : { stacks: image.snapshots.map((key) => [key]) },
        );
      },
    ],
    users: async () => {
      const records = await readContainers(paths);
      return records.map((record) => ({
        containerId: record.id,
        imageId: record.image.id,
        isRunning: containerState(paths, record.id).status === 'running' || hasAttendant(record),
      }));
    },
  };
}
