/**
 * The room of firewall rules: which rules a bridge and a published port need, and their way into iptables. Only the
 * driver of bridges calls it. Each rule has a tag of ours, by which it is found again. Rules without one are left
 * alone.
 *
 *     const wanted = [...bridgeRules('ocits0', network), ...portRules('ocits0', id, '10.89.0.2', ports)];
 *     await restoreRules(additions(wanted, [portChain('ocits0')], await savedRules()));
 */

import type { PortMapping } from '../../options/ports.ts';
import { formatNetwork, type Ipv4Network } from '../address/ipv4.ts';

/** One iptables rule. The tag is its comment, by which it is found again. */
export interface FirewallRule {
  readonly table: 'nat' | 'filter';
  readonly chain: string;
  /** Where it goes in its chain: before all others, or behind them. */
  readonly place: 'first' | 'last';
  readonly tag: string;
  /** Matches and target, as on iptables' command line. */
  readonly spec: string;
}

/** The chain of one bridge's published ports, in the table `nat`. At most 28 characters, as a bridge has at most 15. */
export function portChain(bridge: string): string {
  return `OCITS-DNAT-${bridge}`;
}

/**
 * What a bridge needs whoever is connected to it: the way out by the host's address, published ports that are seen
 * from the host itself (`localhost`) and from other containers, and forwarding on a host that drops by default.
 */
export function bridgeRules(bridge: string, network: Ipv4Network): FirewallRule[] {
  const subnet = formatNetwork(network);
  const nat = (chain: string, name: string, spec: string): FirewallRule => ({
    table: 'nat',
    chain,
    place: 'last',
    tag: `ocits:${bridge}:${subnet}:${name}`,
    spec,
  });
  const filter = (chain: string, name: string, spec: string): FirewallRule => ({
    table: 'filter',
    chain,
    place: 'first',
    tag: `ocits:${bridge}:${subnet}:${name}`,
    spec,
  });
  const toPorts = `-m addrtype --dst-type LOCAL -j ${portChain(bridge)}`;
  return [
    nat('PREROUTING', 'ports-in', toPorts),
    nat('OUTPUT', 'ports-local', toPorts),
    nat('POSTROUTING', 'outside', `-s ${subnet} ! -o ${bridge} -j MASQUERADE`),
    // Without these two, an answer would go straight to a sender that never asked that address.
    nat('POSTROUTING', 'hairpin', `-s ${subnet} -o ${bridge} -m conntrack --ctstate DNAT -j MASQUERADE`),
    nat('POSTROUTING', 'localhost', `-s 127.0.0.0/8 -o ${bridge} -j MASQUERADE`),
    filter(
      'FORWARD',
      'answers',
      `-d ${subnet} -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`,
    ),
    filter('FORWARD', 'outgoing', `-s ${subnet} -i ${bridge} -j ACCEPT`),
    // route_localnet, which localhost needs, would else let a container reach what listens on the host's loopback.
    filter(
      'INPUT',
      'loopback',
      `-d 127.0.0.0/8 -i ${bridge} -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP`,
    ),
  ];
}

/**
 * The rules that publish the ports of one container, whose address on the bridge is `address`. None by IPv6, which the
 * container does not have: there the holder of its ports answers.
 */
export function portRules(
  bridge: string,
  id: string,
  address: string,
  ports: readonly PortMapping[],
): FirewallRule[] {
  return ports.filter(isIpv4).map((port) => {
    const only = port.hostIp === '0.0.0.0' ? '' : `-d ${port.hostIp}/32 `;
    return {
      table: 'nat',
      chain: portChain(bridge),
      place: 'last',
      tag: `ocits:${bridge}:${id.slice(0, 12)}:${port.protocol}:${port.hostIp}:${port.hostPort}`,
      spec: `${only}-p ${port.protocol} -m ${port.protocol} --dport ${port.hostPort} -j DNAT --to-destination ${address}:${port.containerPort}`,
    };
  });
}

function isIpv4({ hostIp }: PortMapping): boolean {
  return !hostIp.includes(':');
}
