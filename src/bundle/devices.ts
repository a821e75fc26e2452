import { OcitsError } from '../errors.ts';
import type { DeviceMapping } from '../options/device.ts';
import type { ContainerSpec } from './container-spec.ts';
import type { DeviceNode, HostFacts } from './host-facts.ts';
import type { DeviceRule, RuntimeDevice } from './runtime-spec.ts';

export interface ContainerDevices {
  readonly nodes: readonly RuntimeDevice[];
  readonly rules: readonly DeviceRule[];
}

/** Docker's: nothing but making nodes, the memory devices, terminals and random numbers. */
const DEFAULT_RULES: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
  ].map(
    ([major, minor]): DeviceRule => ({ allow: true, type: 'c', major: major!, minor: minor!, access: 'rwm' }),
  ),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/**
 * The device nodes below /dev beyond the runtime's own (null, zero, full, random, urandom, tty), and what the cgroup
 * lets the container do with which device. A privileged container has all that the host has.
 */
export function containerDevices(spec: ContainerSpec, host: HostFacts): ContainerDevices {
  if (spec.security.privileged) {
    return {
      nodes: host.devices.map((node) => runtimeDevice(node, node.path)),
      rules: [{ allow: true, access: 'rwm' }],
    };
  }
  const nodes: RuntimeDevice[] = [];
  const rules: DeviceRule[] = [...DEFAULT_RULES];
  for (const mapping of spec.devices) {
    const access = permissions(mapping);
    for (const node of nodesOf(mapping, host)) {
      nodes.push(runtimeDevice(node, mapping.containerPath + node.path.slice(mapping.hostPath.length)));
      const { type, major, minor } = node;
      rules.push({ allow: true, type, major, minor, access });
    }
  }
  return { nodes, rules };
}

/** The node of a mapping, or all nodes below it where it is a folder. */
function nodesOf({ hostPath }: DeviceMapping, host: HostFacts): readonly DeviceNode[] {
  const nodes = host.devices.filter(({ path }) => path === hostPath || path.startsWith(`${hostPath}/`));
  if (nodes.length === 0) {
    throw new OcitsError('not-found', `--device ${hostPath}: the host has no such device node`);
  }
  return nodes;
}

function permissions({ hostPath, permissions: access }: DeviceMapping): string {
  if (!/^(?!.*(.).*\1)[rwm]{1,3}$/.test(access)) {
    throw new OcitsError(
      'invalid-argument',
      `--device ${hostPath}: ${JSON.stringify(access)} is no set of r, w and m`,
    );
  }
  return access;
}

function runtimeDevice(node: DeviceNode, path: string): RuntimeDevice {
  const { type, major, minor, mode: fileMode, uid, gid } = node;
  return { path, type, major, minor, fileMode, uid, gid };
}
