import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crunDelete, openCrun } from '../runtime/crun.ts';
import { readPidRecord } from '../runtime/records.ts';
import { removeTrees } from '../system/remove-tree.ts';
import { abandonedBuildFolders } from './build-folder.ts';
import type { BuildHost } from './build-workshop.ts';

/** Clears away what builds have left whose process was killed: commands that still run, networks, files. */
export async function sweepBuilds({ store, network }: Pick<BuildHost, 'store' | 'network'>): Promise<void> {
  for (const { id, path } of await abandonedBuildFolders(store.paths.root)) {
    for (const name of await readdir(path)) {
      if (readPidRecord(join(path, name)) === undefined) continue;
      await crunDelete(await openCrun(store.paths), `${id}-${name}`);
    }
    await network.teardown({ id });
    await removeTrees([path]);
  }
}
