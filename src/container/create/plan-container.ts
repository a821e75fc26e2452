import { platformOf } from '../../image/catalog/image-platform.ts';
import type { Image } from '../../image/image.ts';
import { hasOwnSandbox, networkModeOf } from '../../network/choice.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { formatPlatform, hostPlatform, normalizePlatform } from '../../oci/platform.ts';
import type { MountRequest } from '../../options/mounts/mount-request.ts';
import { parseExposed, parsePublish } from '../../options/ports.ts';
import type { CreateRequest, NetworkOptions } from '../flags/create-request.ts';
import type { ContainerRecord } from '../record/record.ts';
import { mountRequests } from './resolve-mounts.ts';
import { resolveProcess } from './resolve-process.ts';

/** What the image and the user say together; all that can be at fault before anything is made. */
export interface ContainerPlan {
  /** What the record will say of it. */
  readonly record: Pick<ContainerRecord, 'process' | 'network' | 'isolation' | 'labels' | 'annotations'>;
  readonly image: Omit<ContainerRecord['image'], 'snapshots'>;
  readonly mounts: readonly MountRequest[];
  /** What the user is to be told, in sentences. */
  readonly oddities: readonly string[];
}

/** Throws `invalid-argument` for what the user asks and cannot have, `hostile` for what the image cannot ask. */
export function planContainer(request: CreateRequest, image: Image): ContainerPlan {
  const config = image.config.config ?? {};
  const { entrypoint, command } = request.process;
  return {
    oddities: [...platformOddity(image), ...portOddity(request.network)],
    record: {
      network: resolveNetwork(request.network, config),
      process: resolveProcess(config, request.process),
      isolation: request.isolation,
      labels: { ...config.Labels, ...request.labels },
      annotations: request.annotations,
    },
    image: {
      name: request.image.text,
      id: image.id,
      manifest: {
        ...image.manifestDescriptor,
        platform: image.manifestDescriptor.platform ?? platformOf(image),
      },
      diffIds: image.config.rootfs.diff_ids,
      entrypoint: entrypoint ?? config.Entrypoint ?? [],
      command: command.length > 0 || entrypoint !== undefined ? command : (config.Cmd ?? []),
    },
    mounts: mountRequests(request.mounts, config),
  };
}

/** What the image exposes and what is published is added; with `--publish-all`, each exposed port that is not published gets a port. */
function resolveNetwork(network: NetworkOptions, config: RunConfig): NetworkOptions {
  const declared = Object.keys(config.ExposedPorts ?? {}).flatMap(parseExposed);
  const published = new Set(network.ports.map((port) => `${port.containerPort}/${port.protocol}`));
  const exposed = [...new Set([...declared, ...network.exposed, ...published])];
  const more = network.publishAll
    ? exposed.filter((port) => !published.has(port)).flatMap((port) => parsePublish(port))
    : [];
  return { ...network, exposed, ports: [...network.ports, ...more] };
}

function platformOddity({ config }: Image): string[] {
  const [theirs, ours] = [normalizePlatform(config), hostPlatform()];
  if (theirs.os === ours.os && theirs.architecture === ours.architecture) return [];
  const names = `${formatPlatform(theirs)}, and this host is ${formatPlatform(ours)}`;
  return [`the image is for ${names}: its programs may not run`];
}

function portOddity(network: NetworkOptions): string[] {
  if (hasOwnSandbox(network) || (network.ports.length === 0 && !network.publishAll)) return [];
  return [`published ports are discarded with --network ${networkModeOf(network)}`];
}
