import type { NetworkController } from './controller.ts';

/** What `docker network inspect` prints of a network. Throws `not-found`. */
export async function inspectNetwork(
  controller: NetworkController,
  nameOrId: string,
): Promise<Readonly<Record<string, unknown>>> {
  const network = await controller.describe(nameOrId);
  const { id, name, driver, subnet, gateway, endpoints, options = {} } = network;
  const containers = endpoints.map(({ id: containerId, label, macAddress, addresses }) => [
    containerId,
    {
      Name: label ?? '',
      EndpointID: '',
      MacAddress: macAddress,
      IPv4Address: addresses[0] ?? '',
      IPv6Address: '',
    },
  ]);
  return {
    Name: name,
    Id: id,
    Scope: 'local',
    EnableIPv4: true,
    EnableIPv6: false,
    Internal: false,
    Attachable: false,
    Driver: driver,
    IPAM:
      subnet === undefined
        ? { Driver: 'default', Config: [] }
        : { Driver: 'default', Options: null, Config: [{ Subnet: subnet, Gateway: gateway }] },
    Containers: Object.fromEntries(containers),
    Options: options,
    Labels: {},
  };
}
