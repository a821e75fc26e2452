import type { ContentRoots, LiveContent } from './store/content-roots.ts';
import type { HostPaths } from './system/paths.ts';

/** All that needs images and layers besides names: containers, and the records of the build cache. */
export async function allHolders(paths: HostPaths): Promise<ContentRoots> {
  const { containerHolders } = await import('./container/record/roots.ts');
  const containers = containerHolders(paths);
  return { users: containers.users, roots: [...containers.roots, () => cachedSteps(paths)] };
}

async function cachedSteps(paths: HostPaths): Promise<readonly LiveContent[]> {
  const { buildCacheContent, openBuildCache } = await import('./builder/solve/build-cache.ts');
  return await buildCacheContent(openBuildCache(paths.root));
}
