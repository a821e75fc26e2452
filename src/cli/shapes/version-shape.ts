import { listOf, mapOf, pointerTo, struct } from './shape.ts';

const CLIENT = struct(
  {
    'Platform?': pointerTo(struct({ 'Name?': 'string' })),
    'Version?': 'string',
    'ApiVersion?': 'string',
    'DefaultAPIVersion?': 'string',
    'GitCommit?': 'string',
    'GoVersion?': 'string',
    'Os?': 'string',
    'Arch?': 'string',
    'BuildTime?': 'string',
    Context: 'string',
  },
  { APIVersion: 'ApiVersion' },
);

/** `SystemVersion` of the Engine API. */
const SERVER = struct(
  {
    Platform: struct({ Name: 'string' }),
    Version: 'string',
    ApiVersion: 'string',
    'MinAPIVersion?': 'string',
    Os: 'string',
    Arch: 'string',
    'Components?': listOf(struct({ Name: 'string', Version: 'string', 'Details?': mapOf('string') })),
    'GitCommit?': 'string',
    'GoVersion?': 'string',
    'KernelVersion?': 'string',
    'Experimental?': 'boolean',
    'BuildTime?': 'string',
  },
  { APIVersion: 'ApiVersion' },
);

/** What `version` shows. */
export const VERSION = struct({ Client: CLIENT, Server: pointerTo(SERVER) });
