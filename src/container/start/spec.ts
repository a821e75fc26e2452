import type { ContainerSpec } from '../../bundle/container-spec.ts';
import { containerEnvironment } from '../../bundle/process-args.ts';
import type { ResolvedUser } from '../../bundle/user.ts';
import { shutdownAnnotations } from '../../runtime/conmon/systemd-scope.ts';
import type { ContainerRecord } from '../record/record.ts';

/** What is looked up for one start of a container. */
export interface StartFacts {
  readonly rootfs: string;
  readonly hostname: string;
  readonly user: ResolvedUser;
  readonly etcFiles: ContainerSpec['etcFiles'];
  readonly networkNamespace: ContainerSpec['networkNamespace'];
  readonly cgroupsPath: string;
  /** The init program on the host, where the container is to have one. */
  readonly init?: string | undefined;
}

/** What the runtime starts, from what was asked for and what was found. Pure. */
export function containerSpec(record: ContainerRecord, facts: StartFacts): ContainerSpec {
  const { process, isolation } = record;
  const { user, hostname, rootfs, etcFiles, networkNamespace, cgroupsPath, init } = facts;
  return {
    id: record.id,
    hostname,
    process: {
      args: process.args,
      env: containerEnvironment({
        image: process.imageEnv,
        user: process.userEnv,
        home: user.home,
        hostname,
        terminal: process.terminal,
      }),
      cwd: process.workdir,
      terminal: process.terminal,
      uid: user.uid,
      gid: user.gid,
      additionalGids: user.additionalGids,
      rlimits: process.rlimits,
    },
    rootfs,
    mounts: record.mounts,
    etcFiles,
    resources: isolation.resources,
    devices: isolation.devices,
    security: isolation.security,
    networkNamespace,
    cgroupsPath,
    sysctls: isolation.sysctls,
    annotations: { ...shutdownAnnotations(cgroupsPath, process), ...record.annotations },
    init,
  };
}
