import { formatPlatform } from '../../oci/platform.ts';
import type { BuildJob } from '../job/build-job.ts';
import type { WorkdirPlan } from '../plan/step-plan.ts';
import type { BuildStep, StepLayer, StepRun } from '../solve/build-step.ts';
import { BELOW, type KeyParts } from '../solve/step-key.ts';
import { type Tree, treeChain } from '../tree/tree.ts';

/** A WORKDIR: makes the folder where the tree has none, without mounting anything. */
export class WorkdirStep implements BuildStep {
  readonly plan: WorkdirPlan;
  readonly #job: BuildJob;

  constructor(plan: WorkdirPlan, job: BuildJob) {
    this.plan = plan;
    this.#job = job;
  }

  async keyParts([below]: readonly Tree[]): Promise<KeyParts> {
    const { path, user, platform } = this.plan;
    const { clampSeconds } = this.#job;
    return {
      operation: 'WORKDIR',
      [BELOW]: treeChain(below!),
      path,
      user,
      platform: formatPlatform(platform),
      time: clampSeconds?.toString(),
    };
  }

  async exec([below]: readonly Tree[], { signal }: StepRun): Promise<StepLayer> {
    const { makeWorkdir } = await import('./make-workdir.ts');
    return await makeWorkdir(this.plan, this.#job, below!, signal);
  }
}
