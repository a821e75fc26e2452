import type { ArgInstruction } from '../dockerfile/instruction.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';

/** Values of `--build-arg`, by name. */
export type BuildArgs = ReadonlyMap<string, string>;

/** Declared ARGs in the order of their declaration; undefined: declared without a value. */
export type DeclaredArgs = ReadonlyMap<string, string | undefined>;

/** Replaces the variables in a word. */
export type Expand = (word: { readonly text: string }, variables: DeclaredArgs) => string;

/** Build arguments that reach every RUN without an ARG, and are part of neither cache key nor history. */
const PROXY_NAMES = new Set([
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'FTP_PROXY',
  'ftp_proxy',
  'NO_PROXY',
  'no_proxy',
  'ALL_PROXY',
  'all_proxy',
]);

/** The proxy settings among the build arguments that no ARG declares, as `NAME=value`, sorted. */
export function proxyVariables(buildArgs: BuildArgs, declared: DeclaredArgs): string[] {
  return [...buildArgs]
    .filter(([name]) => PROXY_NAMES.has(name) && !declared.has(name))
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
}

/** The ARGs that are there without being declared before the first FROM, and within a stage once it declares them. */
export function platformArgs(build: Platform, target: Platform, targetStage: string): DeclaredArgs {
  return new Map([
    ...describePlatform('BUILD', build),
    ...describePlatform('TARGET', target),
    ['TARGETSTAGE', targetStage],
  ]);
}

function describePlatform(prefix: string, platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
}

/** ARGs before the first FROM: `--build-arg` comes first, then the default, which sees the ARGs before it. */
export function globalArgs(
  instructions: readonly ArgInstruction[],
  predefined: DeclaredArgs,
  buildArgs: BuildArgs,
  expand: Expand,
): DeclaredArgs {
  const values = new Map(predefined);
  for (const { args } of instructions) {
    for (const { name, value } of args) {
      const given = buildArgs.get(name.text);
      if (given !== undefined) values.set(name.text, given);
      else if (value !== undefined) values.set(name.text, expand(value, values));
      else if (!values.has(name.text)) values.set(name.text, undefined);
    }
  }
  return values;
}

/**
 * The value of one ARG within a stage: `--build-arg`, else its default (already expanded), else what the ARG of
 * that name has before the first FROM; undefined where none of them is there.
 */
export function stageArg(
  name: string,
  defaultValue: string | undefined,
  buildArgs: BuildArgs,
  globals: DeclaredArgs,
): string | undefined {
  return buildArgs.get(name) ?? defaultValue ?? globals.get(name);
}

/** Names of build arguments that nothing in the Dockerfile asks for, sorted. */
export function unusedBuildArgs(buildArgs: BuildArgs, declared: ReadonlySet<string>): string[] {
  const known = (name: string) =>
    declared.has(name) ||
    PROXY_NAMES.has(name) ||
    name === 'SOURCE_DATE_EPOCH' ||
    name.startsWith('BUILDKIT_');
  return [...buildArgs.keys()].filter((name) => !known(name)).toSorted();
}
