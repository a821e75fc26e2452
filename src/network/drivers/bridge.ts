import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import {
  formatNetwork,
  gatewayOf,
  type Ipv4Network,
  isHostAddress,
  macFor,
  nextAddress,
  parseNetwork,
} from '../address/ipv4.ts';
import type { NetworkDriver, ReservationRequest } from '../driver.ts';
import type { NetworkDescription, NetworkEndpoint, NetworkRecord, Sandbox } from '../network.ts';
import { settlePorts } from '../ports/settle.ts';
import { bridgeRules, type FirewallRule, portChain, portRules } from '../rules/firewall.ts';
import { additions, deletions, restoreRules, savedRules } from '../rules/iptables.ts';
import { runInNamespace } from '../sandbox/namespace.ts';
import { allowForwarding, allowHairpin, bridgeNetwork, deleteBridge } from './bridge-link.ts';
import { connectToBridge } from './netavark.ts';

/**
 * The driver of bridges: netavark makes the bridge and the interfaces, iptables' rules lead out and to published ports.
 * Needs root, netavark and iptables. Constructing it does nothing.
 */
export function createBridgeDriver(folder: string): NetworkDriver {
  return new BridgeDriver(folder);
}

class BridgeDriver implements NetworkDriver {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async define(network: NetworkRecord): Promise<NetworkRecord> {
    const { subnet } = network;
    const settled = await bridgeNetwork({
      bridge: bridgeOf(network),
      network: subnet === undefined ? undefined : parseNetwork(subnet),
    });
    return { ...network, subnet: formatNetwork(settled), gateway: gatewayOf(settled) };
  }

  async reserve(
    network: NetworkRecord,
    request: ReservationRequest,
    sandboxes: readonly Sandbox[],
  ): Promise<NetworkEndpoint> {
    refuseUnsupported(network, request);
    const bridge = bridgeOf(network);
    const subnet = parseNetwork(network.subnet!);
    const used = new Set(sandboxes.flatMap(({ endpoints }) => endpoints.map(addressOf)));
    const address =
      request.address === undefined
        ? nextAddress(subnet, used, await this.#lastAddress(bridge))
        : checkedAddress(request.address, subnet, used);
    if (address === undefined) throw new OcitsError('in-use', `the bridge ${bridge} has no address left`);
    const taken = sandboxes.flatMap(({ id, label, endpoints }) =>
      endpoints.flatMap(({ ports }) =>
        ports.map((port) => ({ ...port, holder: `container ${label ?? id.slice(0, 12)}` })),
      ),
    );
    const ports = await settlePorts(request.ports, taken, request.sockets);
    await writeFile(this.#lastAddressPath(bridge), address, { mode: 0o600 });
    return {
      network: network.name,
      driver: network.driver,
      hostInterface: bridge,
      interfaceName: request.interfaceName,
      macAddress: macFor(address),
      addresses: [`${address}/${subnet.prefix}`],
      gateways: [gatewayOf(subnet)],
      ports,
    };
  }

  async attach(
    network: NetworkRecord,
    { id, path }: Pick<Sandbox, 'id' | 'path'>,
    endpoint: NetworkEndpoint,
    signal?: AbortSignal,
  ): Promise<void> {
    const bridge = bridgeOf(network);
    const subnet = parseNetwork(network.subnet!);
    const connection = {
      containerId: id,
      namespacePath: path,
      bridge,
      network: subnet,
      address: addressOf(endpoint),
      interfaceName: endpoint.interfaceName,
      shield: join(this.#folder, 'shield'),
    };
    await connectToBridge(connection, signal);
    const route = ['ip', 'route', 'add', 'default', 'via', gatewayOf(subnet)] as const;
    await allSettled([runInNamespace(path, route, signal), allowForwarding(bridge), allowHairpin(bridge)]);
  }

  async detach({ id }: Pick<Sandbox, 'id'>, endpoint: NetworkEndpoint): Promise<void> {
    const tags = new Set(portRulesOf({ id }, endpoint).map(({ tag }) => tag));
    const saved = await savedRules();
    const own = saved.rules.filter(({ tag }) => tags.has(tag));
    await restoreRules(deletions(own, []));
  }

  async repair(network: NetworkRecord, sandboxes: readonly Sandbox[]): Promise<void> {
    const bridge = bridgeOf(network);
    const ports = sandboxes.flatMap((sandbox) =>
      endpointsOn(network, sandbox).flatMap((endpoint) => portRulesOf(sandbox, endpoint)),
    );
    const wanted = [...bridgeRules(bridge, parseNetwork(network.subnet!)), ...ports];
    await restoreRules(additions(wanted, [`nat/${portChain(bridge)}`], await savedRules()));
  }

  describe(network: NetworkRecord, sandboxes: readonly Sandbox[]): NetworkDescription {
    const endpoints = sandboxes.flatMap((sandbox) =>
      endpointsOn(network, sandbox).map((each) => ({ ...each, id: sandbox.id, label: sandbox.label })),
    );
    return { ...network, options: { 'com.docker.network.bridge.name': bridgeOf(network) }, endpoints };
  }

  async dismantle(network: NetworkRecord): Promise<string | undefined> {
    const bridge = bridgeOf(network);
    const saved = await savedRules();
    const chain = `nat/${portChain(bridge)}`;
    const own = saved.rules.filter(({ tag }) => tag.startsWith(`ocits:${bridge}:`));
    await restoreRules(deletions(own, saved.chains.has(chain) ? [chain] : []));
    await rm(this.#lastAddressPath(bridge), { force: true });
    return (await deleteBridge(bridge)) ? bridge : undefined;
  }

  async #lastAddress(bridge: string): Promise<string | undefined> {
    return await readFile(this.#lastAddressPath(bridge), 'latin1').catch(() => undefined);
  }

  #lastAddressPath(bridge: string): string {
    return join(this.#folder, `${bridge}.last-address`);
  }
}

function refuseUnsupported({ name }: NetworkRecord, { aliases }: ReservationRequest): void {
  if (aliases.length > 0) {
    throw new OcitsError('unsupported', `the network ${name} does not resolve names, such as ${aliases[0]}`);
  }
}

function checkedAddress(address: string, subnet: Ipv4Network, used: ReadonlySet<string>): string {
  if (!isHostAddress(subnet, address)) {
    const why = `${address} is not an address for a container in ${formatNetwork(subnet)}`;
    throw new OcitsError('invalid-argument', why);
  }
  if (used.has(address)) throw new OcitsError('in-use', `another container has the address ${address}`);
  return address;
}

function bridgeOf({ name, hostInterface }: NetworkRecord): string {
  if (hostInterface !== undefined) return hostInterface;
  throw new OcitsError('internal', `the record of the network ${name} names no bridge`);
}

/** By the bridge and not by the network's name: another store may have another bridge for that name. */
function endpointsOn({ hostInterface }: NetworkRecord, { endpoints }: Sandbox): NetworkEndpoint[] {
  return endpoints.filter((endpoint) => endpoint.hostInterface === hostInterface);
}

/** The address without its prefix. */
function addressOf({ addresses }: NetworkEndpoint): string {
  return addresses[0]!.split('/')[0]!;
}

function portRulesOf({ id }: Pick<Sandbox, 'id'>, endpoint: NetworkEndpoint): FirewallRule[] {
  return portRules(endpoint.hostInterface, id, addressOf(endpoint), endpoint.ports);
}
