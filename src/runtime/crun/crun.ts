/**
 * The room of crun: its subcommands, the bundle that it reads, what its messages mean, signals, and the supervisor
 * for containers that end with their command. The engine opens that supervisor; `conmon` and `exec` start crun by
 * this room, and `container` and builds ask it for states and signals. No other room knows crun's options or the
 * words of its messages.
 *
 *     const crun = await openCrun(paths);
 *     await crunKill(crun, id, 'SIGTERM');
 *     await crunDelete(crun, id);
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { HostPaths } from '../../system/paths.ts';
import { isAtLeast, LEAST_CRUN_VERSION } from '../../system/process/program-version.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { type RunResult, runTool } from '../../system/process/spawn.ts';
import { toolEnvironment } from '../launch/tool-environment.ts';
import { clearRemains } from './clear-remains.ts';
import { saysUnknownContainer } from './crun-messages.ts';

/** crun, with a state folder of our own. */
export interface Crun {
  readonly program: string;
  /** Where crun keeps its records of containers, 0700. */
  readonly root: string;
}

/** Finds crun and makes its state folder. Throws `missing-program`. */
export async function openCrun(paths: HostPaths): Promise<Crun> {
  const root = join(paths.run, 'crun');
  await mkdir(root, { recursive: true, mode: 0o700 });
  return { program: requireProgram('crun'), root };
}

/** The options before the subcommand. The cgroup manager follows from the form of the cgroup path. */
export function crunOptions(crun: Crun, cgroupsPath?: string): readonly string[] {
  const manager = cgroupsPath === undefined ? [] : ['--cgroup-manager', cgroupManager(cgroupsPath)];
  return ['--root', crun.root, ...manager];
}

/** `slice:prefix:name` is systemd's form. */
export function cgroupManager(cgroupsPath: string): 'systemd' | 'cgroupfs' {
  return cgroupsPath.includes(':') ? 'systemd' : 'cgroupfs';
}

/** runtime-spec runtime.md#state, as crun prints it. */
export interface CrunState {
  readonly id: string;
  readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped';
  readonly pid: number;
}

/** A container's state; undefined where crun does not know it. */
export async function crunState(crun: Crun, id: string): Promise<CrunState | undefined> {
  try {
    const { stdout } = await runCrun(crun, ['state', id]);
    return JSON.parse(stdout.toString()) as CrunState;
  } catch (error) {
    if (isUnknownContainer(error)) return undefined;
    throw error;
  }
}

/** Sends a signal (a name or a number) to a container's first process, or to all. A container that has ended is no error. */
export async function crunKill(
  crun: Crun,
  id: string,
  signal: string,
  options: { readonly all?: boolean | undefined } = {},
): Promise<void> {
  try {
    const all = options.all === true ? ['--all'] : [];
    await runCrun(crun, ['kill', ...all, id, signal]);
  } catch (error) {
    const state = await crunState(crun, id);
    if (state === undefined || state.status === 'stopped') return;
    throw error;
  }
}

/**
 * Ends what still runs of a container, and removes its cgroup and crun's record of it, in whatever state that is.
 * Idempotent.
 */
export async function crunDelete(crun: Crun, id: string): Promise<void> {
  try {
    await runCrun(crun, ['delete', '--force', id]);
  } catch (error) {
    // It knows no such container, cannot read its own record, or was killed: what it has left goes below.
    if (!isOcitsError(error, 'tool-failed')) throw error;
  }
  await clearRemains(crun.root, id);
}

/** The version of a crun, such as `1.8.1`. */
export async function crunVersion(program: string): Promise<string> {
  const { stdout } = await runTool(program, ['--version']);
  const version = /^crun version (\d+(?:\.\d+)*)/m.exec(stdout.toString())?.[1];
  if (version === undefined) throw new OcitsError('tool-failed', `${program} --version prints no version`);
  return version;
}

/** Throws `missing-program` where crun is older than ocits needs. */
export async function checkCrunVersion(program: string): Promise<void> {
  const version = await crunVersion(program);
  if (!isAtLeast(version, LEAST_CRUN_VERSION)) {
    throw new OcitsError(
      'missing-program',
      `crun ${version} is too old: ocits needs ${LEAST_CRUN_VERSION} or newer`,
      {
        hint: `install a newer crun; this one is ${program}`,
      },
    );
  }
}

/** Runs a subcommand to its end. Throws `tool-failed` with crun's message. */
export async function runCrun(crun: Crun, args: readonly string[]): Promise<RunResult> {
  return await runTool(crun.program, [...crunOptions(crun), ...args], { env: toolEnvironment() });
}

function isUnknownContainer(error: unknown): boolean {
  return isOcitsError(error, 'tool-failed') && saysUnknownContainer(error.message);
}
