import type { BuildRequest } from '../../builder/request/build-request.ts';
import { OcitsError } from '../../errors.ts';
import { buildNetworkMode } from '../../network/choice.ts';
import { hostPlatform } from '../../oci/platform.ts';
import type { BuildFlagValues } from './build-flags.ts';

/** What `build` is asked for. `env` is the command's own environment. Throws what is wrong, before anything is done. */
export function buildRequestFromFlags(
  flags: BuildFlagValues,
  context: string,
  env: NodeJS.ProcessEnv,
): BuildRequest {
  const buildArgs = readBuildArgs(flags['build-arg'] ?? []);
  const epoch = readEpoch(buildArgs.get('SOURCE_DATE_EPOCH') ?? env['SOURCE_DATE_EPOCH']);
  if (epoch !== undefined) buildArgs.set('SOURCE_DATE_EPOCH', String(epoch));
  return {
    source: {
      context,
      dockerfile: flags.file,
      stdin: () => process.stdin,
    },
    target: {
      stage: flags.target,
      platform: flags.platform ?? hostPlatform(),
      buildArgs,
    },
    cache: { isUsed: !flags['no-cache'], pullsAlways: flags.pull },
    run: {
      network: buildNetworkMode(flags.network),
      extraHosts: flags['add-host'] ?? [],
      rlimits: flags.ulimit ?? [],
      secrets: new Map(flags.secret),
      shmSizeBytes: flags['shm-size'],
    },
    output: {
      tags: flags.tag ?? [],
      labels: Object.fromEntries(flags.label ?? []),
      sourceDateEpoch: epoch,
    },
  };
}

/** A variable without a value here counts as not given. */
function readBuildArgs(
  given: readonly (readonly [name: string, value: string | undefined])[],
): Map<string, string> {
  return new Map(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** reproducible-builds.org/specs/source-date-epoch: seconds since 1970. */
function readEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new OcitsError(
    'invalid-argument',
    `SOURCE_DATE_EPOCH=${JSON.stringify(text)} is no number of seconds`,
  );
}
