import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type ContainerMount, DEFAULT_SECURITY } from '../../bundle/container-spec.ts';
import { networkChoice } from '../../network/choice.ts';
import { digestOf } from '../../oci/digest.ts';
import { OCI_MANIFEST } from '../../oci/media-types.ts';
import { readActiveState } from '../../snapshotter/upper/active-state.ts';
import { textIfThereSync } from '../../system/file/if-there.ts';
import type { HostPaths } from '../../system/paths.ts';
import { createVolumeStore } from '../../volume/volume-store.ts';
import { containerFolder } from './folder.ts';
import type { ContainerRecord } from './record.ts';

/** Stands where the image's digest was. */
const UNKNOWN = digestOf('');
const NO_PROCESS = { pid: 0, startTicks: -1, bootId: '' };

/**
 * What is still known of a container whose `spec.json` is damaged or gone: its layers by the active snapshot, its
 * volumes by the runtime's configuration and by what volumes say of themselves. Enough to keep what it uses, to stop
 * it, and to remove it with all that it has. `name`: the one that points at it.
 */
export async function salvageRecord(
  paths: HostPaths,
  id: string,
  name: string | undefined,
): Promise<ContainerRecord> {
  const { folder, writable } = containerFolder(paths, id);
  const createdAt = statSync(folder, { throwIfNoEntry: false })?.mtime ?? new Date();
  return {
    version: 3,
    id,
    name: name ?? id.slice(0, 12),
    createdAt: createdAt.toISOString(),
    damage: 'its record is damaged or gone',
    image: {
      name: '',
      id: UNKNOWN,
      manifest: { mediaType: OCI_MANIFEST, digest: UNKNOWN, size: 0 },
      diffIds: [],
      snapshots: readActiveState(writable)?.parents ?? [],
      entrypoint: [],
      command: [],
    },
    process: {
      args: [],
      imageEnv: [],
      userEnv: [],
      workdir: '',
      user: '',
      terminal: false,
      openStdin: false,
      stopSignal: 'SIGTERM',
      stopTimeoutSeconds: 10,
      rlimits: [],
    },
    hostname: id.slice(0, 12),
    // One with a sandbox, which is torn down where there is one.
    network: {
      ...networkChoice(),
      ports: [],
      exposed: [],
      publishAll: false,
      dns: { servers: [], search: [], options: [] },
      extraHosts: [],
    },
    mounts: await volumeMounts(paths, id),
    isolation: {
      resources: {},
      devices: [],
      security: DEFAULT_SECURITY,
      sysctls: {},
      init: false,
    },
    labels: {},
    annotations: {},
    lifetime: { autoRemove: false, attached: false, creator: NO_PROCESS },
  };
}

async function volumeMounts(paths: HostPaths, id: string): Promise<ContainerMount[]> {
  const mounted = new Map(
    configuredMounts(paths, id).map(({ source, destination }) => [source, destination]),
  );
  const volumes = await createVolumeStore(paths).list();
  return volumes.flatMap(({ name, path, madeFor }) => {
    const target = mounted.get(path);
    if (target === undefined && madeFor !== id) return [];
    const anonymous = madeFor === id;
    return [{ kind: 'volume', name, source: path, target: target ?? '/', readOnly: false, anonymous }];
  });
}

interface ConfiguredMount {
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
}

/** runtime-spec config.md#mounts, as the last start wrote it; none where there was no start. */
function configuredMounts(paths: HostPaths, id: string): readonly ConfiguredMount[] {
  const text = textIfThereSync(join(containerFolder(paths, id).folder, 'bundle/config.json'));
  try {
    const { mounts } = JSON.parse(text ?? '{}') as { mounts?: readonly ConfiguredMount[] | undefined };
    return Array.isArray(mounts) ? mounts : [];
  } catch {
    return [];
  }
}
