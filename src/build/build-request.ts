import type { ProcessSpec } from '../bundle/container-spec.ts';
import type { BuildArgs } from '../dockerfile/build-args.ts';
import type { ExtraHost } from '../network/hosts-file.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { CopySource } from './copy-source.ts';

/** What network the RUN steps have: one of their own that reaches the outside, the host's, or none. */
export type BuildNetworkMode = 'default' | 'host' | 'none';

/** How RUN steps run. */
export interface RunOptions {
  readonly network: BuildNetworkMode;
  readonly extraHosts: readonly ExtraHost[];
  readonly rlimits: ProcessSpec['rlimits'];
  readonly shmSizeBytes?: number;
}

/** What of the Dockerfile is built, and with which values. */
export interface BuildTarget {
  /** A stage's name or number; the default is the last. */
  readonly stage?: string;
  readonly platform: Platform;
  readonly buildArgs: BuildArgs;
}

export interface CachePolicy {
  /** Whether earlier results are used; what is built is kept in any case. */
  readonly isUsed: boolean;
  /** Whether base images are looked up again where they are there already. */
  readonly pullsAlways: boolean;
}

/** What the image gets beside its content. */
export interface BuildOutput {
  readonly tags: readonly Reference[];
  readonly labels: Readonly<Record<string, string>>;
  /** All times of the image become this, and no file is newer (`SOURCE_DATE_EPOCH`). */
  readonly sourceDateEpoch?: number;
}

/** A Dockerfile, read. */
export interface DockerfileSource {
  /** For messages: the path as the user gave it, or `-`. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** All that a build is asked to do. */
export interface BuildRequest {
  readonly dockerfile: DockerfileSource;
  /** What COPY and ADD take files from; called once, when the first step needs it. */
  readonly openContext: () => Promise<CopySource>;
  /** The same for builds that a user would call the same: says which earlier build a cache miss is explained by. */
  readonly project: string;
  readonly target: BuildTarget;
  readonly cache: CachePolicy;
  readonly run: RunOptions;
  readonly output: BuildOutput;
}
