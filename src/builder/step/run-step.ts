import { requireRoot } from '../../access.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { splitPair } from '../../options/pair.ts';
import type { BuildJob } from '../job/build-job.ts';
import { networkMode } from '../job/network-mode.ts';
import type { RunPlan } from '../plan/step-plan.ts';
import type { RunMounts } from '../run/step-mounts.ts';
import type { BuildStep, StepLayer, StepRun } from '../solve/build-step.ts';
import { BELOW, type KeyParts } from '../solve/step-key.ts';
import { type Tree, treeChain } from '../tree/tree.ts';

/** A RUN: a command in a container of its own on the tree, and what it leaves there as a layer. */
export class RunStep implements BuildStep {
  readonly plan: RunPlan;
  readonly #job: BuildJob;
  #mounts: Promise<RunMounts> | undefined;

  constructor(plan: RunPlan, job: BuildJob) {
    this.plan = plan;
    this.#job = job;
  }

  async keyParts([below, ...sources]: readonly Tree[], signal: AbortSignal): Promise<KeyParts> {
    const { args, script, env, user, cwd, platform, mounts } = this.plan;
    const { runSettings, clampSeconds } = this.#job;
    const variables = env.map((variable) => {
      const [name, value] = splitPair(variable);
      return [`env ${name}`, value] as const;
    });
    const { extraHosts, rlimits, shmSizeBytes } = runSettings;
    return {
      operation: 'RUN',
      [BELOW]: treeChain(below!),
      command: args,
      ...Object.fromEntries(variables),
      user,
      workdir: cwd,
      platform: formatPlatform(platform),
      network: networkMode(this.plan, runSettings),
      script: script?.content,
      mounts: unlessEmpty(mounts)?.map(({ mount: { at: _at, ...rest } }) => JSON.stringify(rest)),
      mounted: mounts.length === 0 ? undefined : await (await this.#runMounts()).digests(sources, signal),
      hosts: unlessEmpty(extraHosts)?.map(({ name, address }) => `${name}=${address}`),
      limits: rlimits.length === 0 ? undefined : JSON.stringify(rlimits),
      shm: shmSizeBytes?.toString(),
      time: clampSeconds?.toString(),
    };
  }

  async exec(inputs: readonly Tree[], run: StepRun): Promise<StepLayer> {
    requireRoot(this.#job.engine.access, 'RUN');
    const { RunCommand } = await import('../run/command.ts');
    return await new RunCommand(this.plan, this.#job).exec(inputs, await this.#runMounts(), run);
  }

  #runMounts(): Promise<RunMounts> {
    this.#mounts ??= import('../run/step-mounts.ts').then(
      ({ RunMounts }) => new RunMounts(this.plan, this.#job),
    );
    return this.#mounts;
  }
}

/** What is empty is no part of a key. */
function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}
