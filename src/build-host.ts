import type { BuildHost } from './builder/job/build-job.ts';
import type { Session } from './session.ts';

/** What a build works with, opened by the session as it is needed. */
export async function buildHost(session: Session): Promise<BuildHost> {
  const { paths, emit } = session;
  return {
    store: await session.store(),
    emit,
    images: () => session.imageHost(),
    registry: () => session.registry(),
    network: () => session.network(),
    supervisor: async () =>
      (await import('./runtime/crun/direct-supervisor.ts')).createDirectSupervisor(paths),
  };
}
