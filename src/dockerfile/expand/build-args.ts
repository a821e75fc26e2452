import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { ArgInstruction, Dockerfile } from '../instruction.ts';
import { type ExpandContext, expandWord } from './expand-instruction.ts';
import type { Environment } from './expand-word.ts';

/** `--build-arg` values by name. */
export type BuildArgs = ReadonlyMap<string, string>;

/**
 * Build arguments that a RUN gets without any ARG, in both cases of letters, and that are in neither the history nor
 * the cache key.
 */
export const PROXY_ARGS: readonly string[] = [
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
];

/**
 * The ARGs that are there before the first line: `BUILDPLATFORM`, `BUILDOS`, `TARGETARCH` and so on. A FROM sees them,
 * a stage only those that an ARG of its own names. A build argument of the same name takes precedence.
 */
export function predefinedArgs(options: {
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** The name of the stage that is built; `default` where it has none. */
  readonly targetStage?: string | undefined;
  readonly buildArgs: BuildArgs;
}): Map<string, string> {
  const args = new Map<string, string>();
  for (const [prefix, platform] of [
    ['BUILD', options.buildPlatform],
    ['TARGET', options.targetPlatform],
  ] as const) {
    args.set(`${prefix}PLATFORM`, formatPlatform(platform));
    args.set(`${prefix}OS`, platform.os);
    args.set(`${prefix}OSVERSION`, platform['os.version'] ?? '');
    args.set(`${prefix}ARCH`, platform.architecture);
    args.set(`${prefix}VARIANT`, platform.variant ?? '');
  }
  args.set('TARGETSTAGE', options.targetStage || 'default');
  for (const name of args.keys()) {
    const given = options.buildArgs.get(name);
    if (given !== undefined) args.set(name, given);
  }
  return args;
}

/** One name that an ARG declares; `value` is undefined where nothing gives it one. */
export interface ResolvedArg {
  readonly name: string;
  readonly value?: string | undefined;
}

/**
 * The ARGs of an ARG instruction in a stage, each with its build argument, else its default, else the value of the
 * global ARG of that name. A default sees the names before it in the same instruction. Throws `syntax`.
 */
export function resolveArg(
  instruction: ArgInstruction,
  context: ExpandContext,
  values: { readonly buildArgs: BuildArgs; readonly globalArgs: Environment },
): ResolvedArg[] {
  const env = new Map(context.env);
  return instruction.args.map(({ name: { text: name }, value: fallback }) => {
    const given = values.buildArgs.get(name);
    let value = given;
    if (given === undefined) {
      value =
        fallback === undefined ? values.globalArgs.get(name) : expandWord({ ...context, env }, fallback).text;
    }
    if (value === undefined) return { name };
    env.set(name, value);
    return { name, value };
  });
}

/**
 * What FROM lines may refer to: the predefined ARGs and those before the first FROM, in that order. A global ARG
 * without a value stays unset. Throws `syntax`.
 */
export function resolveGlobalArgs(
  dockerfile: Pick<Dockerfile, 'file' | 'escapeChar' | 'globalArgs'>,
  predefined: Environment,
  buildArgs: BuildArgs,
): Map<string, string> {
  const env = new Map(predefined);
  for (const instruction of dockerfile.globalArgs) {
    const context = { file: dockerfile.file, escapeChar: dockerfile.escapeChar, env };
    for (const { name, value } of resolveArg(instruction, context, { buildArgs, globalArgs: new Map() })) {
      if (value !== undefined) env.set(name, value);
    }
  }
  return env;
}

/** Build arguments that no ARG of the file declares and that are not predefined: the user gets a warning about them. */
export function unusedBuildArgs(dockerfile: Dockerfile, buildArgs: BuildArgs): string[] {
  const known = new Set<string>(PROXY_ARGS);
  const platform = { os: '', architecture: '' };
  const none = { buildPlatform: platform, targetPlatform: platform, buildArgs: new Map<string, string>() };
  for (const name of predefinedArgs(none).keys()) known.add(name);
  const instructions = [
    ...dockerfile.globalArgs,
    ...dockerfile.stages.flatMap((stage) => stage.instructions),
  ];
  for (const instruction of instructions) {
    const arg = instruction.kind === 'ONBUILD' ? instruction.trigger : instruction;
    if (arg.kind === 'ARG') for (const { name } of arg.args) known.add(name.text);
  }
  return [...buildArgs.keys()].filter((name) => !known.has(name) && !name.startsWith('BUILDKIT_'));
}
