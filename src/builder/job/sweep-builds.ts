import { join } from 'node:path';
import type { Engine } from '../../engine.ts';
import { namesIfThere } from '../../system/file/if-there.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { abandonedBuildFolders } from './build-folder.ts';

/** Clears away what killed builds have left: commands that still run, networks, files. */
export async function sweepBuilds({ paths, network }: Engine): Promise<void> {
  const abandoned = await abandonedBuildFolders(paths);
  if (abandoned.length === 0) return;
  const [{ crunDelete, openCrun }, { readPidRecord }] = await Promise.all([
    import('../../runtime/crun/crun.ts'),
    import('../../runtime/crun/records.ts'),
  ]);
  for (const { id, path, runPath } of abandoned) {
    // Another command may clear it away at the same time.
    for (const name of await namesIfThere(path)) {
      if (readPidRecord(join(path, name)) === undefined) continue;
      await crunDelete(await openCrun(paths), `${id}-${name}`);
    }
    await (await network()).teardown({ id });
    await removeTrees([path, runPath]);
  }
}
