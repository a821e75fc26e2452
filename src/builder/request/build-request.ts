/**
 * The room of what a build is asked for and what it tells: the request, the progress of its steps, and the error with
 * the place in the Dockerfile. `commands/builder` and `library` make requests; all rooms of the builder tell progress
 * and throw through it. It does no work of the build itself.
 *
 *     const target = { platform: hostPlatform(), buildArgs: new Map() };
 *     const request: BuildRequest = { source, target, cache: { isUsed: true, pullsAlways: false }, run, output };
 *     await new BuildProgress(call).during('[internal] load metadata', async (shown) => shown.status('1 stage', true));
 */

import type { Readable } from 'node:stream';
import type { ProcessSpec } from '../../bundle/container-spec.ts';
import type { BuildArgs } from '../../dockerfile/expand/build-args.ts';
import type { BuildNetworkMode } from '../../network/choice.ts';
import type { ExtraHost } from '../../network/names/hosts-file.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';

/** What a secret is: a file of the host, or a text. */
export type BuildSecret = { readonly path: string } | { readonly value: string };

/** How RUN steps run. */
export interface RunSettings {
  readonly network: BuildNetworkMode;
  readonly extraHosts: readonly ExtraHost[];
  readonly rlimits: ProcessSpec['rlimits'];
  readonly shmSizeBytes?: number | undefined;
  /** By ID: what `RUN --mount=type=secret` may see. Secrets get into no key, history or layer. */
  readonly secrets: ReadonlyMap<string, BuildSecret>;
}

/** What of the Dockerfile is built, and with which values. */
export interface BuildTarget {
  /** A stage's name or number; the default is the last. */
  readonly stage?: string | undefined;
  readonly platform: Platform;
  readonly buildArgs: BuildArgs;
}

interface CachePolicy {
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
  readonly sourceDateEpoch?: number | undefined;
}

/** Where the Dockerfile and the files for COPY come from: as in ContextRequest. */
interface BuildSource {
  readonly context: string;
  readonly dockerfile?: string | undefined;
  readonly stdin: () => Readable;
}

/** All that a build is asked to do. */
export interface BuildRequest {
  readonly source: BuildSource;
  readonly target: BuildTarget;
  readonly cache: CachePolicy;
  readonly run: RunSettings;
  readonly output: BuildOutput;
}
