import { DEFAULT_SECURITY } from '../../../src/bundle/container-spec.ts';
import type { CreateRequest } from '../../../src/container/flags/create-request.ts';
import { readImageName } from '../../../src/image/catalog/image-name.ts';
import { networkChoice } from '../../../src/network/choice.ts';

export interface RequestParts {
  readonly image?: string;
  readonly name?: string;
  readonly autoRemove?: boolean;
  readonly process?: Partial<CreateRequest['process']>;
  readonly network?: Partial<CreateRequest['network']>;
  readonly isolation?: Partial<CreateRequest['isolation']>;
  readonly mounts?: CreateRequest['mounts'];
  readonly labels?: CreateRequest['labels'];
}

/** A request for a busybox without network, as `run` would make it of few flags. */
export function containerRequest(command: readonly string[], parts: RequestParts = {}): CreateRequest {
  return {
    image: readImageName(parts.image ?? 'busybox'),
    ...(parts.name === undefined ? {} : { name: parts.name }),
    labels: parts.labels ?? {},
    annotations: {},
    process: { command, env: [], terminal: false, openStdin: false, rlimits: [], ...parts.process },
    network: {
      ...networkChoice('none'),
      ports: [],
      exposed: [],
      publishAll: false,
      dns: { servers: [], search: [], options: [] },
      extraHosts: [],
      ...parts.network,
    },
    mounts: parts.mounts ?? [],
    isolation: {
      resources: {},
      devices: [],
      security: DEFAULT_SECURITY,
      sysctls: {},
      init: false,
      ...parts.isolation,
    },
    autoRemove: parts.autoRemove ?? true,
  };
}
