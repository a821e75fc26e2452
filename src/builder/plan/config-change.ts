import { posix } from 'node:path';
import { dockerfileError } from '../../dockerfile/dockerfile-error.ts';
import type { CommandLine, Healthcheck, StageInstruction } from '../../dockerfile/instruction.ts';
import { exposedPorts } from '../../dockerfile/parse/expose.ts';
import type { Word } from '../../dockerfile/source.ts';
import type { OcitsError } from '../../errors.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { splitPair } from '../../options/pair.ts';
import { parseSignal } from '../../system/process/signal-number.ts';
import { goDuration, goList, goQuotedList } from './go-format.ts';

/** What a stage's instructions have made of the configuration so far. */
export interface ConfigState {
  readonly config: RunConfig;
  readonly author?: string | undefined;
  /** Whether this stage has had a CMD: an ENTRYPOINT drops only the one it was handed from below. */
  readonly hasOwnCmd: boolean;
}

/** An instruction's effect on the configuration, and its line in the history; without one, it has none. */
export interface ConfigChange {
  readonly state: ConfigState;
  readonly createdBy?: string | undefined;
}

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/**
 * Applies an instruction whose words are expanded and which changes the configuration alone; for RUN, COPY and ADD
 * nothing changes. A WORKDIR also makes its folder, which is a step's affair. The history reads as BuildKit's.
 * `file` is the Dockerfile's name for messages. Throws `syntax` for a port or a signal that is none.
 */
export function changeConfig(state: ConfigState, instruction: StageInstruction, file: string): ConfigChange {
  const { config } = state;
  const withConfig = (change: Partial<RunConfig>, createdBy: string): ConfigChange => ({
    state: { ...state, config: { ...config, ...change } },
    createdBy,
  });
  switch (instruction.kind) {
    case 'ENV': {
      const pairs = instruction.pairs.map(({ key, value }) => [key.text, value.text] as const);
      return withConfig({ Env: setVariables(config.Env ?? [], pairs) }, `ENV ${assignments(pairs)}`);
    }
    case 'LABEL': {
      const pairs = instruction.pairs.map(({ key, value }) => [key.text, value.text] as const);
      return withConfig(
        { Labels: { ...config.Labels, ...Object.fromEntries(pairs) } },
        `LABEL ${assignments(pairs)}`,
      );
    }
    case 'CMD': {
      const Cmd = commandVector(instruction.command, config);
      const change = withConfig({ Cmd }, `CMD ${goQuotedList(Cmd)}`);
      return { ...change, state: { ...change.state, hasOwnCmd: true } };
    }
    case 'ENTRYPOINT': {
      const Entrypoint = commandVector(instruction.command, config);
      const Cmd = state.hasOwnCmd ? (config.Cmd ?? null) : null;
      return withConfig({ Entrypoint, Cmd }, `ENTRYPOINT ${goQuotedList(Entrypoint)}`);
    }
    case 'EXPOSE': {
      const ports = exposedPorts(file, instruction.ports);
      const added = Object.fromEntries(ports.map((port) => [port, {}]));
      return withConfig({ ExposedPorts: { ...config.ExposedPorts, ...added } }, `EXPOSE ${goList(ports)}`);
    }
    case 'VOLUME': {
      const paths = instruction.paths.map(({ text }) => text);
      const added = Object.fromEntries(paths.map((path) => [path, {}]));
      return withConfig({ Volumes: { ...config.Volumes, ...added } }, `VOLUME ${goList(paths)}`);
    }
    case 'USER':
      return withConfig({ User: instruction.user.text }, `USER ${instruction.user.text}`);
    case 'WORKDIR': {
      const WorkingDir = resolveWorkdir(config, instruction.path.text);
      return withConfig({ WorkingDir }, `WORKDIR ${WorkingDir}`);
    }
    case 'SHELL':
      return withConfig({ Shell: instruction.shell }, `SHELL ${goList(instruction.shell)}`);
    case 'STOPSIGNAL': {
      const StopSignal = stopSignal(file, instruction.signal);
      return withConfig({ StopSignal }, `STOPSIGNAL ${StopSignal}`);
    }
    case 'HEALTHCHECK': {
      const { healthcheck } = instruction;
      return withConfig({ Healthcheck: healthcheckConfig(healthcheck) }, healthcheckText(healthcheck));
    }
    case 'MAINTAINER':
      return { state: { ...state, author: instruction.name }, createdBy: `MAINTAINER ${instruction.name}` };
    case 'ONBUILD':
      return {
        state: {
          ...state,
          config: { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.expression] },
        },
      };
    case 'ADD':
    case 'ARG':
    case 'COPY':
    case 'RUN':
      return { state };
  }
}

/** Variables as `NAME=value`, a known name keeping its place. */
function setVariables(
  env: readonly string[],
  pairs: readonly (readonly [name: string, value: string])[],
): string[] {
  const byName = new Map(env.map((variable) => [splitPair(variable)[0], variable]));
  for (const [name, value] of pairs) byName.set(name, `${name}=${value}`);
  return [...byName.values()];
}

/** The argument vector of a command: a shell form is one argument of the stage's SHELL. */
function commandVector(command: CommandLine, config: RunConfig): readonly string[] {
  return command.form === 'exec' ? command.args : [...shellOf(config), command.text];
}

export function shellOf(config: RunConfig): readonly string[] {
  return config.Shell === undefined || config.Shell.length === 0 ? DEFAULT_SHELL : config.Shell;
}

/** WORKDIR's path, absolute and clean: a relative one goes on from the folder before it. */
function resolveWorkdir(config: RunConfig, path: string): string {
  return posix.resolve('/', config.WorkingDir ?? '/', path);
}

/** As it is written. BuildKit takes any number but 0: what the platform knows of it shows where it is sent. */
function stopSignal(file: string, { text, at }: Word): string {
  if (/^[+-]?\d+$/.test(text) && Number(text) !== 0) return text;
  try {
    parseSignal(text);
  } catch (error) {
    const { hint } = error as OcitsError;
    throw dockerfileError(file, at, `invalid signal ${JSON.stringify(text)}`, { hint });
  }
  return text;
}

function assignments(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, value]) => `${name}=${value}`).join(' ');
}

function healthcheckConfig(check: Healthcheck): Readonly<Record<string, unknown>> {
  const { test, intervalNs, timeoutNs, startPeriodNs, startIntervalNs, retries } = check;
  const numbers = {
    Interval: intervalNs,
    Timeout: timeoutNs,
    StartPeriod: startPeriodNs,
    StartInterval: startIntervalNs,
    Retries: retries,
  };
  const given = Object.entries(numbers).filter(([, value]) => value !== undefined && value !== 0);
  return { Test: test, ...Object.fromEntries(given) };
}

function healthcheckText(check: Healthcheck): string {
  const fields = [
    `Test:${goList(check.test)}`,
    `Interval:${goDuration(check.intervalNs ?? 0)}`,
    `Timeout:${goDuration(check.timeoutNs ?? 0)}`,
    `StartPeriod:${goDuration(check.startPeriodNs ?? 0)}`,
    `StartInterval:${goDuration(check.startIntervalNs ?? 0)}`,
    `Retries:${check.retries ?? 0}`,
  ];
  return `HEALTHCHECK {${fields.join(' ')}}`;
}
