import type { PortMapping } from '../../options/ports.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { runTool } from '../../system/process/spawn.ts';
import { macFor } from '../address/ipv4.ts';
import type { NetworkEndpoint } from '../network.ts';
import { findHolder } from '../ports/holder.ts';
import { savedRules } from '../rules/iptables.ts';
import type { SandboxRecord } from './sandbox-record.ts';

/** What belongs to no process and no store: the sandbox goes when nothing runs in its namespace, or with its container. */
const NOBODY = { root: '', owner: { pid: 0, startTicks: -1, bootId: '' } };

/**
 * A sandbox whose record is damaged, as the kernel has it: its address by the namespace at `path`, its published ports
 * by our rules and by who holds them. So neither is given to another container, and both can be taken away.
 */
export async function recoverSandbox(id: string, path: string, bridge: string): Promise<SandboxRecord> {
  const [inside, rules] = await Promise.all([addressInside(path), publishedBy(id)]);
  const address = inside ?? rules[0]?.address;
  const endpoint = address === undefined ? [] : [endpointOf(address, rules[0]?.bridge ?? bridge, rules)];
  return { version: 2, id, path, endpoints: endpoint, ...NOBODY, holder: findHolder(id) };
}

interface PublishedPort extends PortMapping {
  readonly bridge: string;
  readonly address: string;
}

function endpointOf(address: string, bridge: string, rules: readonly PublishedPort[]): NetworkEndpoint {
  return {
    network: 'bridge',
    driver: 'bridge',
    hostInterface: bridge,
    interfaceName: 'eth0',
    macAddress: macFor(address),
    addresses: [`${address}/32`],
    gateways: [],
    ports: rules.map(({ bridge: _, address: __, ...port }) => port),
  };
}

/** Undefined where there is no namespace, or none with an address. */
async function addressInside(path: string): Promise<string | undefined> {
  const command = ['ip', '-j', '-4', 'address', 'show', 'dev', 'eth0'] as const;
  try {
    const { stdout } = await runTool(requireProgram('nsenter'), [`--net=${path}`, '--', ...command]);
    const [link] = JSON.parse(stdout.toString()) as {
      addr_info?: { local?: string | undefined }[] | undefined;
    }[];
    return link?.addr_info?.[0]?.local;
  } catch {
    return undefined;
  }
}

/** As `portRules` writes them. */
async function publishedBy(id: string): Promise<readonly PublishedPort[]> {
  const tag = new RegExp(`^ocits:([^:]+):${id.slice(0, 12)}:(tcp|udp|sctp):([0-9.]+):(\\d+)$`);
  const { rules } = await savedRules();
  return rules.flatMap((rule) => {
    const [, bridge, protocol, hostIp, hostPort] = tag.exec(rule.tag) ?? [];
    const [, address, containerPort] = /--to-destination ([0-9.]+):(\d+)/.exec(rule.line) ?? [];
    if (bridge === undefined || address === undefined) return [];
    const port = { hostIp: hostIp!, hostPort: Number(hostPort), containerPort: Number(containerPort) };
    return [{ bridge, address, ...port, protocol: protocol as PortMapping['protocol'] }];
  });
}
