/**
 * The room of RUN: the mounts that it asks for, the container that it runs in, and its changes as a layer. `step`
 * loads it when a RUN has to be done, so that a build without one loads none of it; `builder prune` removes the cache
 * folders here. It is the only room of the builder that mounts and starts processes. It needs root.
 *
 *     const mounts = new RunMounts(plan, job);
 *     const layer = await new RunCommand(plan, job).exec([below, ...sources], mounts, run);
 */

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ContainerMount, ContainerSpec } from '../../bundle/container-spec.ts';
import { MOUNT_TARGETS } from '../../bundle/mounts.ts';
import { type ResolvedUser, resolveUser, USER_FILE_LIMIT_BYTES } from '../../bundle/user.ts';
import { type ErrorDetails, isOcitsError } from '../../errors.ts';
import { cgroupsPath } from '../../runtime/launch/host-cgroups.ts';
import type { RunningContainer } from '../../runtime/supervisor.ts';
import type { Parents } from '../../snapshotter/snapshotter.ts';
import type { Mount } from '../../system/mount.ts';
import type { BuildJob } from '../job/build-job.ts';
import { networkMode } from '../job/network-mode.ts';
import { runSpec } from '../job/run-spec.ts';
import { goQuote } from '../plan/go-format.ts';
import { SCRIPT_FOLDER } from '../plan/run-plan.ts';
import type { RunPlan } from '../plan/step-plan.ts';
import { BuildError } from '../request/build-error.ts';
import type { StepLayer, StepRun } from '../solve/build-step.ts';
import { builtLayer, type Tree } from '../tree/tree.ts';
import type { ReadyMounts } from './mount-collector.ts';
import { OutputTail } from './output-tail.ts';
import type { RunMounts } from './step-mounts.ts';

/** Carries out a RUN: a container on a mount of the tree, then its changes as a layer. */
export class RunCommand {
  readonly #plan: RunPlan;
  readonly #job: BuildJob;

  constructor(plan: RunPlan, job: BuildJob) {
    this.#plan = plan;
    this.#job = job;
  }

  /** Runs it on the first of `inputs`; see BuildStep. */
  async exec([below, ...sources]: readonly Tree[], runMounts: RunMounts, run: StepRun): Promise<StepLayer> {
    const tree = below!;
    const { folder } = this.#job;
    const parents = await (await this.#job.content()).parents(tree, run.signal);
    await folder.make();
    // What is left in it goes with the build's folder.
    const place = join(folder.path, this.#plan.place.replace('/', '-'));
    await mkdir(join(place, 'rootfs'), { recursive: true, mode: 0o700 });
    {
      await using mounts = await runMounts.prepare(place, sources, run.signal);
      await this.#runCommand(place, parents, mounts, run);
    }
    return await this.#keepChanges(place, tree, run.signal);
  }

  async #runCommand(place: string, parents: Parents, mounts: ReadyMounts, run: StepRun): Promise<void> {
    const snapshotter = await this.#job.engine.snapshotter();
    const targets = [...MOUNT_TARGETS, ...mounts.targets];
    const active = await snapshotter.prepare(place, parents, targets, { isVolatile: true });
    const spec = await this.#spec(place, parents, mounts, run.signal);
    const tail = new OutputTail();
    const rootMounts = [...mounts.hostMounts, ...active.mounts];
    const exitCode = await this.#watch({ place, spec, rootMounts }, run, tail);
    run.signal.throwIfAborted();
    if (exitCode === 0) return;
    const process = `process ${goQuote(this.#plan.args.join(' '))}`;
    const message = `${process} did not complete successfully: exit code: ${exitCode}`;
    throw this.#failure(message, { exitCode }, tail);
  }

  async #watch(
    { place, spec, rootMounts }: { place: string; spec: ContainerSpec; rootMounts: readonly Mount[] },
    run: StepRun,
    tail: OutputTail,
  ): Promise<number> {
    const stdio = { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' } as const;
    const supervisor = await this.#job.engine.supervisor();
    try {
      const container = await supervisor.start({
        folder: place,
        spec,
        rootMounts,
        stdio,
        signal: run.signal,
      });
      return await watch(container, run, tail);
    } catch (error) {
      if (!isOcitsError(error, 'not-found', 'not-executable', 'hostile', 'invalid-argument')) throw error;
      const { message, hint, exitCode, cause } = error;
      throw this.#failure(message, {
        cause,
        hint,
        exitCode,
      });
    }
  }

  async #spec(
    place: string,
    parents: Parents,
    ready: ReadyMounts,
    signal: AbortSignal,
  ): Promise<ContainerSpec> {
    const { network, folder, runSettings } = this.#job;
    const { networkNamespace, etcFiles } = await (await network()).forMode(
      networkMode(this.#plan, runSettings),
      signal,
    );
    const files: { source: string; target: string }[] = [];
    for (const [name, content] of Object.entries(etcFiles)) {
      files.push({ source: await writeNew(place, name, content, 0o644), target: `/etc/${name}` });
    }
    const id = `${folder.id}-${this.#plan.place.replace('/', '-')}`;
    return runSpec(this.#plan, {
      id,
      cgroupsPath: cgroupsPath(id),
      rootfs: join(place, 'rootfs'),
      user: await this.#user(parents),
      etcFiles: files,
      mounts: [...ready.mounts, ...(await this.#scriptMount(place))],
      env: ready.env,
      networkNamespace,
      options: runSettings,
    });
  }

  async #scriptMount(place: string): Promise<ContainerMount[]> {
    const { script } = this.#plan;
    if (script === undefined) return [];
    const source = join(place, 'script');
    await mkdir(source, { mode: 0o755 });
    await writeNew(source, script.name, script.content, 0o755);
    return [{ kind: 'bind', source, target: SCRIPT_FOLDER, readOnly: true }];
  }

  async #user(parents: Parents): Promise<ResolvedUser> {
    const snapshotter = await this.#job.engine.snapshotter();
    const read = (path: string) => snapshotter.readFile({ parents }, path, USER_FILE_LIMIT_BYTES);
    const [passwd, group] = await Promise.all([read('etc/passwd'), read('etc/group')]);
    try {
      return resolveUser(this.#plan.user, passwd, group);
    } catch (error) {
      throw isOcitsError(error, 'not-found', 'invalid-argument')
        ? this.#failure(error.message, { cause: error })
        : error;
    }
  }

  async #keepChanges(place: string, tree: Tree, signal: AbortSignal): Promise<StepLayer> {
    const { engine, store, content, clampSeconds } = this.#job;
    const snapshotter = await engine.snapshotter();
    const tarPath = join(place, 'layer.tar');
    const clamp = clampSeconds === undefined ? {} : { clampSeconds };
    const { diffId, sizeBytes } = await snapshotter.diff(place, { tarPath, signal, ...clamp });
    await store.blobs.adopt(tarPath, diffId);
    const below = tree.layers.map((layer) => layer.diffId);
    const key = await snapshotter.commit(place, below, diffId);
    const result: Tree = { ...tree, layers: [...tree.layers, builtLayer(diffId, sizeBytes)] };
    (await content()).addSnapshot(result, key);
    return { diffId, sizeBytes };
  }

  #failure(message: string, details: Omit<ErrorDetails, 'location'>, tail?: OutputTail): BuildError {
    const { label, range } = this.#plan;
    const location = { file: this.#job.file, line: range.start.line, endLine: range.end.line };
    const output = tail === undefined ? {} : { outputTail: tail.text() };
    return new BuildError('step-failed', message, { ...details, location }, { stepLabel: label, ...output });
  }
}

/** Passes on what the container prints, and waits until it has ended; ends it at once where the build is given up. */
async function watch(container: RunningContainer, run: StepRun, tail: OutputTail): Promise<number> {
  const read = async (name: 'stdout' | 'stderr', stream: Readable) => {
    for await (const chunk of stream) {
      tail.add(chunk);
      run.output(name, chunk);
    }
  };
  const stop = () => void container.kill('SIGKILL').catch(() => {});
  run.signal.addEventListener('abort', stop, { once: true });
  if (run.signal.aborted) stop();
  try {
    const [exit] = await Promise.all([
      container.wait(),
      read('stdout', container.stdout!),
      read('stderr', container.stderr!),
    ]);
    return exit.exitCode;
  } finally {
    run.signal.removeEventListener('abort', stop);
  }
}

async function writeNew(folder: string, name: string, content: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content, { mode });
  // The umask must not decide what the container sees.
  await chmod(path, mode);
  return path;
}
