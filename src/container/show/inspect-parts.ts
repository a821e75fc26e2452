import type { ContainerMount } from '../../bundle/container-spec.ts';
import type { NetworkEndpoint, Sandbox } from '../../network/network.ts';
import type { PortMapping } from '../../options/ports.ts';
import type { ContainerRecord } from '../record/record.ts';

type Inspected = Readonly<Record<string, unknown>>;

/** `Mounts` of `docker inspect`. */
export function inspectMounts({ mounts }: ContainerRecord): Inspected[] {
  return mounts.map(inspectMount);
}

function inspectMount(mount: ContainerMount): Inspected {
  if (mount.kind === 'tmpfs') {
    return {
      Type: 'tmpfs',
      Source: '',
      Destination: mount.target,
      Mode: mount.options.join(','),
      RW: true,
      Propagation: '',
    };
  }
  const { source, target, readOnly } = mount;
  const common = { Source: source, Destination: target };
  const access = { Mode: readOnly ? 'ro' : '', RW: !readOnly };
  if (mount.kind === 'bind') {
    return { Type: 'bind', ...common, ...access, Propagation: mount.propagation ?? 'rprivate' };
  }
  return { Type: 'volume', Name: mount.name, ...common, Driver: 'local', ...access, Propagation: '' };
}

/** Docker's `NetworkSettings`: the address and the published ports are there while the container runs. */
export function inspectedNetworks({ network }: ContainerRecord, sandbox: Sandbox | undefined): Inspected {
  const made = sandbox?.endpoints ?? [];
  const networks = network.endpoints.map(({ network: name }) => {
    const endpoint = inspectEndpoint(made.find((each) => each.network === name));
    return [name, { NetworkID: name, EndpointID: '', Aliases: null, ...endpoint }];
  });
  return {
    Bridge: '',
    SandboxID: sandbox?.id ?? '',
    SandboxKey: sandbox?.path ?? '',
    Ports: portBindings(
      network.exposed,
      made.flatMap(({ ports }) => ports),
    ),
    ...inspectEndpoint(made[0]),
    Networks: Object.fromEntries(networks),
  };
}

function inspectEndpoint(endpoint: NetworkEndpoint | undefined): Inspected {
  const [address = '', prefix = '0'] = endpoint?.addresses[0]?.split('/') ?? [];
  return {
    Gateway: endpoint?.gateways[0] ?? '',
    IPAddress: address,
    IPPrefixLen: Number(prefix),
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    MacAddress: endpoint?.macAddress ?? '',
  };
}

/** By container port, such as `80/tcp`: where it is published; null for one that is only exposed. */
export function portBindings(exposed: readonly string[], ports: readonly PortMapping[]): Inspected {
  const bindings: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of exposed) bindings[port] = null;
  for (const { containerPort, protocol, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    bindings[key] = [
      ...(bindings[key] ?? []),
      { HostIp: hostIp, HostPort: hostPort === 0 ? '' : String(hostPort) },
    ];
  }
  return bindings;
}
