import { listOf, mapOf, pointerTo, struct } from './shape.ts';

const IPAM_CONFIG = struct(
  {
    'Subnet?': 'string',
    'IPRange?': 'string',
    'Gateway?': 'string',
    'AuxiliaryAddresses?': mapOf('string'),
  },
  { AuxAddress: 'AuxiliaryAddresses' },
);

/** `NetworkInspect` of the Engine API. */
export const NETWORK = struct(
  {
    Name: 'string',
    Id: 'string',
    Created: 'time',
    Scope: 'string',
    Driver: 'string',
    EnableIPv4: 'boolean',
    EnableIPv6: 'boolean',
    IPAM: struct({ Driver: 'string', Options: mapOf('string'), Config: listOf(IPAM_CONFIG) }),
    Internal: 'boolean',
    Attachable: 'boolean',
    Ingress: 'boolean',
    ConfigFrom: struct({ Network: 'string' }),
    ConfigOnly: 'boolean',
    Containers: mapOf(
      struct({
        Name: 'string',
        EndpointID: 'string',
        MacAddress: 'string',
        IPv4Address: 'string',
        IPv6Address: 'string',
      }),
    ),
    Options: mapOf('string'),
    Labels: mapOf('string'),
    'Peers?': listOf(struct({ Name: 'string', IP: 'string' })),
    'Services?': mapOf('any'),
    'Status?': pointerTo('any'),
  },
  { ID: 'Id' },
);
