import { Readable } from 'node:stream';
import type { BuildRequest, BuildSecret } from '../builder/request/build-request.ts';
import { parseTag } from '../image/catalog/tag-image.ts';
import type { Digest } from '../oci/digest.ts';
import { hostPlatform, parsePlatform } from '../oci/platform.ts';
import { type CallOptions, withCall } from './with-call.ts';

export interface BuildOptions extends CallOptions {
  /** The Dockerfile's path; by default `Dockerfile` in the context. */
  readonly dockerfile?: string | undefined;
  /** Names of the image. Without one it is kept by its ID. */
  readonly tags?: readonly string[] | undefined;
  /** The stage to build; the last one by default. */
  readonly target?: string | undefined;
  /** Such as `linux/arm64`; this host's by default. */
  readonly platform?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of RUN steps. */
  readonly network?: BuildRequest['run']['network'] | undefined;
  /** By ID, for `RUN --mount=type=secret`. */
  readonly secrets?: Readonly<Record<string, BuildSecret>> | undefined;
  /** Whether every step is done anew. */
  readonly noCache?: boolean | undefined;
  /** Whether base images are looked up again where they are there. */
  readonly pull?: boolean | undefined;
  /** Seconds since 1970: all times of the image become this, so that its ID depends on its content alone. */
  readonly sourceDateEpoch?: number | undefined;
}

export interface BuiltImage {
  readonly id: Digest;
  /** Of the manifest as it is stored here, with uncompressed layers; a registry gets another one. */
  readonly digest: Digest;
}

/**
 * Builds the image that the Dockerfile in the folder `context` describes. Nothing of this process's environment
 * reaches it. Throws `syntax`, `step-failed` or `unsupported` with the place in the Dockerfile.
 */
export async function build(context: string, options: BuildOptions = {}): Promise<BuiltImage> {
  return await withCall('build', options, async (engine, call) => {
    const request = requestOf(context, options);
    const { buildImage } = await import('../builder/build.ts');
    const { id, manifestDescriptor } = await buildImage(engine, call, request);
    return { id, digest: manifestDescriptor.digest };
  });
}

function requestOf(context: string, options: BuildOptions): BuildRequest {
  const { dockerfile, target, platform, sourceDateEpoch: epoch } = options;
  const buildArgs = new Map(Object.entries(options.buildArgs ?? {}));
  if (epoch !== undefined) buildArgs.set('SOURCE_DATE_EPOCH', String(epoch));
  return {
    source: {
      context,
      stdin: () => Readable.from([]),
      dockerfile,
    },
    target: {
      platform: platform === undefined ? hostPlatform() : parsePlatform(platform),
      buildArgs,
      stage: target,
    },
    cache: { isUsed: options.noCache !== true, pullsAlways: options.pull === true },
    run: {
      network: options.network ?? 'default',
      extraHosts: [],
      rlimits: [],
      secrets: new Map(Object.entries(options.secrets ?? {})),
    },
    output: {
      tags: (options.tags ?? []).map(parseTag),
      labels: options.labels ?? {},
      sourceDateEpoch: epoch,
    },
  };
}
