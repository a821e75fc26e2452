import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ContainerSpec } from '../../bundle/container-spec.ts';
import { hostsFile } from '../../network/names/hosts-file.ts';
import { hostResolvConf, resolvConf } from '../../network/names/resolv-conf.ts';
import type { Sandbox } from '../../network/network.ts';
import { textIfThere } from '../../system/file/if-there.ts';
import type { ContainerRecord } from '../record/record.ts';

const LOOPBACK = '127.0.0.1';

/** The name that the container has: with the host's network it is the host's, unless another was asked for. */
export function hostnameOf({ hostname: name, network }: ContainerRecord): string {
  return network.mode === 'host' && network.hostname === undefined ? hostname() : name;
}

/** Writes the three files of a container into `folder`. Says what is to be bound where. */
export async function writeEtcFiles(
  folder: string,
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
): Promise<ContainerSpec['etcFiles']> {
  const contents: Readonly<Record<string, string>> = {
    hosts: await hostsContent(record, sandbox),
    hostname: `${hostnameOf(record)}\n`,
    'resolv.conf': await resolvConfContent(record),
  };
  return Object.entries(contents).map(([name, content]) => {
    const source = join(folder, name);
    writeFileSync(source, content, { mode: 0o644 });
    return { source, target: `/etc/${name}` };
  });
}

async function hostsContent(record: ContainerRecord, sandbox: Sandbox | undefined): Promise<string> {
  const { network } = record;
  const extra = network.extraHosts;
  const gateway = sandbox?.endpoints[0]?.gateways[0] ?? LOOPBACK;
  const made = (address?: string) =>
    hostsFile({
      hostname: hostnameOf(record),
      gateway,
      extra,
      ...(address === undefined ? {} : { address }),
    });
  if (network.mode !== 'host') return made(sandbox?.endpoints[0]?.addresses[0]?.split('/')[0]);
  const own = await textIfThere('/etc/hosts');
  if (own === undefined) return made();
  const lines = extra.map(
    ({ name, address }) => `${address === 'host-gateway' ? gateway : address}\t${name}\n`,
  );
  return `${own}${own.endsWith('\n') ? '' : '\n'}${lines.join('')}`;
}

async function resolvConfContent({ network }: ContainerRecord): Promise<string> {
  if (network.mode !== 'host') return resolvConf(await hostResolvConf(), network.dns, 'namespace');
  return resolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''), network.dns, 'host');
}
