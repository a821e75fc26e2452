import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSpec } from '../../bundle/container-spec.ts';
import { etcFiles, hostnameFor } from '../../network/names/etc-files.ts';
import type { Sandbox } from '../../network/network.ts';
import type { ContainerRecord } from '../record/record.ts';

/** The name that the container has. */
export function hostnameOf({ hostname, network }: ContainerRecord): string {
  return hostnameFor(network, hostname);
}

/** Writes the files of a container's /etc into `folder`. Says what is to be bound where. */
export async function writeEtcFiles(
  folder: string,
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
): Promise<ContainerSpec['etcFiles']> {
  const contents = await etcFiles(record.network, hostnameOf(record), sandbox);
  return Object.entries(contents).map(([name, content]) => {
    const source = join(folder, name);
    writeFileSync(source, content, { mode: 0o644 });
    return { source, target: `/etc/${name}` };
  });
}
