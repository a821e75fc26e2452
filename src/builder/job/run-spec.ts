import { type ContainerMount, type ContainerSpec, DEFAULT_SECURITY } from '../../bundle/container-spec.ts';
import { containerEnvironment } from '../../bundle/process-args.ts';
import type { ResolvedUser } from '../../bundle/user.ts';
import type { RunPlan } from '../plan/step-plan.ts';
import type { RunSettings } from '../request/build-request.ts';

/** What a RUN's container is made of beside its plan. */
export interface RunSurroundings {
  readonly id: string;
  /** An empty folder, where the tree is mounted. */
  readonly rootfs: string;
  readonly user: ResolvedUser;
  readonly etcFiles: ContainerSpec['etcFiles'];
  readonly mounts: readonly ContainerMount[];
  /** Variables beside the plan's own: secrets. */
  readonly env: readonly string[];
  readonly networkNamespace: ContainerSpec['networkNamespace'];
  readonly options: RunSettings;
  readonly cgroupsPath: string;
}

/** The host name that commands of a build see. It is fixed: a random one could end up in the files that they write. */
export const BUILD_HOSTNAME = 'buildkitsandbox';

/**
 * The container of a RUN: an ordinary unprivileged one as Docker's builds have, with the environment of the image and
 * the ARGs alone. Pure.
 */
export function runSpec(plan: RunPlan, surroundings: RunSurroundings): ContainerSpec {
  const { id, rootfs, user, etcFiles, mounts, networkNamespace, options, cgroupsPath } = surroundings;
  const env = [...plan.env, ...plan.proxyEnv, ...surroundings.env];
  return {
    id,
    hostname: BUILD_HOSTNAME,
    process: {
      args: plan.args,
      env: containerEnvironment({ image: env, home: user.home, terminal: false }),
      cwd: plan.cwd,
      terminal: false,
      uid: user.uid,
      gid: user.gid,
      additionalGids: user.additionalGids,
      rlimits: options.rlimits,
    },
    rootfs,
    mounts,
    etcFiles,
    resources: options.shmSizeBytes === undefined ? {} : { shmSizeBytes: options.shmSizeBytes },
    devices: [],
    security: DEFAULT_SECURITY,
    networkNamespace,
    cgroupsPath,
    sysctls: {},
    annotations: {},
  };
}
