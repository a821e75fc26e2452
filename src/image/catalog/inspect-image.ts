import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarName } from '../../oci/reference.ts';
import { requireImage } from './find-image.ts';
import { readCatalog } from './image-catalog.ts';
import { platformOf } from './image-platform.ts';
import { imageSize } from './layer-size.ts';

/**
 * What `docker image inspect` prints of an image, in Docker's names and order. Fields that are undefined are known to
 * templates and left out of JSON, as Go's `omitempty` does. Throws as `requireImage`.
 */
export async function inspectImage(
  engine: Engine,
  call: Call,
  nameOrId: string,
  platform?: Platform,
): Promise<Readonly<Record<string, unknown>>> {
  const store = await engine.store();
  const image = await requireImage(store, nameOrId, platform);
  const stored = (await readCatalog(store)).find((other) => other.image.id === image.id);
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: (stored?.tags ?? []).map(familiarName),
    RepoDigests: (stored?.digests ?? []).map(familiarName),
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    DockerVersion: '',
    Author: config.author ?? '',
    Config: inspectConfig(config.config ?? {}),
    Architecture: config.architecture,
    Variant: platformOf(image).variant,
    Os: config.os,
    OsVersion: config['os.version'],
    Size: await imageSize(engine, call, image),
    GraphDriver: { Data: null, Name: (await engine.snapshotter()).name },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: (stored?.updatedAt ?? new Date(0)).toISOString() },
    Descriptor: image.manifestDescriptor,
  };
}

/** All fields of an image's run config, so that a template may name those that it has not. */
function inspectConfig(config: RunConfig): Readonly<Record<string, unknown>> {
  return {
    User: config.User ?? '',
    ExposedPorts: config.ExposedPorts,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Healthcheck: config.Healthcheck,
    ArgsEscaped: config.ArgsEscaped,
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    StopSignal: config.StopSignal,
    Shell: config.Shell,
  };
}
