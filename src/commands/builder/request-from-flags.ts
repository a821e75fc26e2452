import type { BuildRequest } from '../../builder/request/build-request.ts';
import { readByteSize, readPairs, readUlimit } from '../../container/flags/parse-values.ts';
import { OcitsError } from '../../errors.ts';
import { parseTag } from '../../image/catalog/tag-image.ts';
import { parseAddHost } from '../../network/hosts-file.ts';
import { hostPlatform, parsePlatform } from '../../oci/platform.ts';
import { splitPair } from '../../options/pair.ts';
import { parseSecret } from './secret-flag.ts';

/** The values of the flags of `build`; absent: not given. */
export interface BuildFlagValues {
  readonly 'add-host'?: string[] | undefined;
  readonly 'build-arg'?: string[] | undefined;
  readonly file?: string | undefined;
  readonly label?: string[] | undefined;
  readonly network?: string | undefined;
  readonly 'no-cache'?: boolean;
  readonly platform?: string | undefined;
  readonly pull?: boolean;
  readonly secret?: string[] | undefined;
  readonly 'shm-size'?: string | undefined;
  readonly tag?: string[] | undefined;
  readonly target?: string | undefined;
  readonly ulimit?: string[] | undefined;
}

/** What `build` is asked for. `env` is the command's own environment. Throws what is wrong, before anything is done. */
export function buildRequestFromFlags(
  flags: BuildFlagValues,
  context: string,
  env: NodeJS.ProcessEnv,
): BuildRequest {
  const buildArgs = readBuildArgs(flags['build-arg'] ?? [], env);
  const epoch = readEpoch(buildArgs.get('SOURCE_DATE_EPOCH') ?? env['SOURCE_DATE_EPOCH']);
  if (epoch !== undefined) buildArgs.set('SOURCE_DATE_EPOCH', String(epoch));
  return {
    source: {
      context,
      ...(flags.file === undefined ? {} : { dockerfile: flags.file }),
      stdin: () => process.stdin,
    },
    target: {
      ...(flags.target === undefined ? {} : { stage: flags.target }),
      platform: flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform),
      buildArgs,
    },
    cache: { isUsed: flags['no-cache'] !== true, pullsAlways: flags.pull === true },
    run: {
      network: flags.network === 'host' || flags.network === 'none' ? flags.network : 'default',
      extraHosts: (flags['add-host'] ?? []).map(parseAddHost),
      rlimits: (flags.ulimit ?? []).map(readUlimit),
      secrets: new Map((flags.secret ?? []).map((text) => parseSecret(text, env))),
      ...(flags['shm-size'] === undefined
        ? {}
        : { shmSizeBytes: readByteSize(flags['shm-size'], '--shm-size') }),
    },
    output: {
      tags: (flags.tag ?? []).map(parseTag),
      labels: readPairs(flags.label ?? [], '--label'),
      ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
    },
  };
}

/** `NAME=value`; `NAME` alone takes the value of our own variable, and is as if not given where there is none. */
function readBuildArgs(texts: readonly string[], env: NodeJS.ProcessEnv): Map<string, string> {
  const args = new Map<string, string>();
  for (const text of texts) {
    const [name, given] = splitPair(text);
    if (name === '')
      throw new OcitsError('invalid-argument', `--build-arg: ${JSON.stringify(text)} has no name`);
    const value = given ?? env[name];
    if (value !== undefined) args.set(name, value);
  }
  return args;
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
