import { OcitsError } from '../errors.ts';
import type { NetworkDriver } from './network.ts';

/** What `docker network inspect` prints of a network: there are `bridge`, `host` and `none`. Throws `not-found`. */
export async function inspectNetwork(
  driver: NetworkDriver,
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  const common = {
    Name: name,
    Id: name,
    Scope: 'local',
    EnableIPv6: false,
    Internal: false,
    Attachable: false,
  };
  if (name === 'host' || name === 'none') {
    const driverName = name === 'none' ? 'null' : name;
    return {
      ...common,
      Driver: driverName,
      IPAM: { Driver: 'default', Config: [] },
      Containers: {},
      Labels: {},
    };
  }
  if (name !== 'bridge') throw new OcitsError('not-found', `No such network: ${name}`);
  const { bridge, subnet, gateway, attachments } = await driver.describe();
  const containers = attachments.map(({ id, label, macAddress, addresses }) => [
    id,
    {
      Name: label ?? '',
      EndpointID: '',
      MacAddress: macAddress,
      IPv4Address: addresses[0] ?? '',
      IPv6Address: '',
    },
  ]);
  return {
    ...common,
    Driver: 'bridge',
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: subnet, Gateway: gateway }] },
    Containers: Object.fromEntries(containers),
    Options: { 'com.docker.network.bridge.name': bridge },
    Labels: {},
  };
}
