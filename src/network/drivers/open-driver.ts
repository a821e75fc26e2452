import { OcitsError } from '../../errors.ts';
import type { NetworkDriver } from '../driver.ts';

/** Each kind of network by Docker's name of its driver, loaded when it is first used. */
const DRIVERS: Readonly<Record<string, (folder: string) => Promise<NetworkDriver>>> = {
  bridge: async (folder) => (await import('./bridge.ts')).createBridgeDriver(folder),
  host: async () => (await import('./host.ts')).createHostDriver(),
  null: async () => (await import('./none.ts')).createNullDriver(),
};

/** The driver of a kind. It may keep files of its own in `folder`. Throws `unsupported` for a kind that is not there. */
export async function openDriver(kind: string, folder: string): Promise<NetworkDriver> {
  if (Object.hasOwn(DRIVERS, kind)) return await DRIVERS[kind]!(folder);
  throw new OcitsError('unsupported', `there is no network driver ${JSON.stringify(kind)}`);
}
