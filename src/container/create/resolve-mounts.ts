import { mkdir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ContainerMount } from '../../bundle/container-spec.ts';
import { isErrno, OcitsError } from '../../errors.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { cleanTarget, type MountRequest } from '../../options/mounts/mount-request.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import type { VolumeStore } from '../../volume/volume.ts';
import { anonymousVolumeName } from '../../volume/volume-store.ts';

/** More than any real image has. */
const IMAGE_VOLUMES_LIMIT = 100;
const SYSTEM_FOLDERS: readonly string[] = ['/dev', '/proc', '/sys'];

/**
 * All that is asked for to be mounted: the user's mounts, and an anonymous volume for each `VOLUME` of the image that
 * none of them replaces. A mount that is given twice is mounted once, and an anonymous volume makes way for any other
 * mount on its target. Throws `invalid-argument` for a target that two other mounts have, `hostile` for a volume of the
 * image's on `/`, `/dev`, `/proc` or `/sys`.
 */
export function mountRequests(given: readonly MountRequest[], image: RunConfig): MountRequest[] {
  const byTarget = new Map<string, MountRequest>();
  for (const mount of given) {
    const other = byTarget.get(mount.target);
    if (other !== undefined && !isAnonymous(other) && !isAnonymous(mount) && !isDeepStrictEqual(other, mount))
      throw new OcitsError('invalid-argument', `two mounts have the target ${mount.target}`);
    if (other === undefined || isAnonymous(other)) byTarget.set(mount.target, mount);
  }
  const user = [...byTarget.values()];
  const declared = new Set(Object.keys(image.Volumes ?? {}).map(imageTarget));
  if (declared.size > IMAGE_VOLUMES_LIMIT) {
    throw new OcitsError(
      'hostile',
      `the image declares ${declared.size} volumes, more than ${IMAGE_VOLUMES_LIMIT}`,
    );
  }
  const volumes = [...declared].filter((target) => !byTarget.has(target));
  return [
    ...user,
    ...volumes.map(
      (target) => ({ kind: 'volume', target, readOnly: false, copyImage: true, labels: {} }) as const,
    ),
  ];
}

function isAnonymous(mount: MountRequest): boolean {
  return mount.kind === 'volume' && mount.name === undefined;
}

/** A relative path is taken from the root, as Docker does. */
function imageTarget(path: string): string {
  let target: string;
  try {
    target = cleanTarget(posix.join('/', path), "the image's VOLUME");
  } catch (error) {
    throw new OcitsError('hostile', (error as Error).message, { cause: error });
  }
  if (SYSTEM_FOLDERS.some((folder) => target === folder || target.startsWith(`${folder}/`))) {
    throw new OcitsError('hostile', `the image declares a volume on ${target}, which belongs to the runtime`);
  }
  return target;
}

/** A mount whose source is there, and the volume to be filled from the image before the first start. */
export interface ResolvedMount {
  readonly mount: ContainerMount;
  readonly fillFrom?: string | undefined;
}

/** As `resolveMount` for each; where one fails, all have ended. */
export async function resolveMounts(
  requests: readonly MountRequest[],
  volumes: VolumeStore,
  owner: MountOwner,
): Promise<readonly ResolvedMount[]> {
  return await allSettled(requests.map((request) => resolveMount(request, volumes, owner)));
}

interface MountOwner {
  /** The container's. */
  readonly id: string;
  readonly onMade: (volume: string) => void;
}

/**
 * Finds or makes the source of a mount of the container `id`. `onMade` is told of an anonymous volume that is made, so
 * that it can be undone. The volume names the container, so that it can be cleared up where no undo ran. Throws
 * `not-found` for a source of the host's that is not there and is not to be made.
 */
async function resolveMount(
  request: MountRequest,
  volumes: VolumeStore,
  { id, onMade }: MountOwner,
): Promise<ResolvedMount> {
  if (request.kind === 'tmpfs') return { mount: request };
  if (request.kind === 'bind') {
    const { createSource, ...mount } = request;
    const isFolder = await requireSource(request.source, createSource);
    // crun opens the target of a recursive read-only mount as a folder.
    return { mount: isFolder ? mount : { ...mount, recursive: false } };
  }
  const anonymous = request.name === undefined;
  const name = request.name ?? anonymousVolumeName();
  const owner = anonymous ? { madeFor: id } : {};
  const { volume, isNew } = await volumes.create(name, { anonymous, labels: request.labels, ...owner });
  if (anonymous) onMade(name);
  const { target, readOnly } = request;
  return {
    mount: { kind: 'volume', name, source: volume.path, target, readOnly, anonymous },
    ...(isNew && request.copyImage ? { fillFrom: target } : {}),
  };
}

/** Whether the source is a folder. */
async function requireSource(source: string, create: boolean): Promise<boolean> {
  try {
    return (await stat(source)).isDirectory();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    if (!create)
      throw new OcitsError('not-found', `cannot mount ${source}: the host has no such file or folder`);
    await mkdir(source, { recursive: true, mode: 0o755 });
    return true;
  }
}
