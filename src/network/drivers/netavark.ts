import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { OcitsError } from '../../errors.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { runTool } from '../../system/process/spawn.ts';
import { formatNetwork, gatewayOf, type Ipv4Network, macFor } from '../address/ipv4.ts';

export interface BridgeConnection {
  readonly containerId: string;
  readonly namespacePath: string;
  readonly bridge: string;
  readonly network: Ipv4Network;
  readonly address: string;
  readonly interfaceName: string;
  /** A file that netavark may write to instead of the bridge's setting. */
  readonly shield: string;
}

/**
 * Connects a namespace to a bridge by netavark (1.4 or newer): makes the bridge where it is missing, a pair of
 * interfaces, the address, and brings the loopback up. Neither routes nor firewall rules are made: see
 * `netavarkInput`. Throws `missing-program`. To be called under the network's lock.
 */
export async function connectToBridge(connection: BridgeConnection, signal?: AbortSignal): Promise<void> {
  const { program, args } = netavarkCommand(connection);
  const result = await runTool(program, args, {
    input: JSON.stringify(netavarkInput(connection)),
    okCodes: [0, 1],
    // It looks for iptables on PATH, where cron and others have no sbin.
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin` },
    signal,
  });
  if (result.exitCode === 0) return;
  throw new OcitsError(
    'tool-failed',
    `cannot connect to the bridge ${connection.bridge}: netavark: ${errorText(result.stdout.toString(), result.stderr)}`,
  );
}

/**
 * netavark takes the network for internal, and forbids forwarding on the bridge each time. That would cut off the
 * containers on it until we allow it again. So netavark finds another file in that place. The script is a constant; all
 * data are positional arguments.
 */
const SHIELDED = 'mount -n --bind -- "$1" "$2" && shift 2 && exec "$@"';

function netavarkCommand({ bridge, namespacePath, shield }: BridgeConnection): {
  readonly program: string;
  readonly args: readonly string[];
} {
  const setup = [requireProgram('netavark'), 'setup', namespacePath] as const;
  const forwarding = `/proc/sys/net/ipv4/conf/${bridge}/forwarding`;
  if (!existsSync(forwarding)) return { program: setup[0], args: setup.slice(1) };
  writeFileSync(shield, '1\n', { mode: 0o600 });
  const script = ['/bin/sh', '-c', SHIELDED, 'ocits-netavark', shield, forwarding, ...setup];
  return { program: requireProgram('unshare'), args: ['--mount', '--', ...script] };
}

/** netavark tells its failure as JSON on standard output. */
function errorText(stdout: string, stderr: string): string {
  try {
    const { error } = JSON.parse(stdout) as { error?: unknown | undefined };
    if (typeof error === 'string') return error;
  } catch {}
  return stderr.trim() || stdout.trim() || 'no reason given';
}

/**
 * What netavark reads. The network is declared internal, for which netavark makes no firewall rules: its own take
 * 40 ms to make and 80 to 260 ms to take away, one iptables process a rule, where `iptables.ts` needs 5 and 20.
 */
function netavarkInput(connection: BridgeConnection): object {
  const { bridge, network, address, interfaceName, containerId } = connection;
  return {
    container_id: containerId,
    container_name: containerId.slice(0, 12),
    networks: {
      [bridge]: { interface_name: interfaceName, static_ips: [address], static_mac: macFor(address) },
    },
    network_info: {
      [bridge]: {
        name: bridge,
        id: createHash('sha256').update(bridge).digest('hex'),
        driver: 'bridge',
        network_interface: bridge,
        subnets: [{ subnet: formatNetwork(network), gateway: gatewayOf(network) }],
        ipv6_enabled: false,
        internal: true,
        dns_enabled: false,
        ipam_options: { driver: 'host-local' },
      },
    },
    port_mappings: [],
  };
}
