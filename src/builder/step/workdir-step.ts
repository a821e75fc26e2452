import { formatPlatform } from '../../oci/platform.ts';
import type { BuildWorkshop } from '../job/build-job.ts';
import type { WorkdirPlan } from '../plan/step-plan.ts';
import type { BuildStep, StepLayer, StepRun } from '../solve/build-step.ts';
import { BELOW, type KeyParts } from '../solve/step-key.ts';
import { type Tree, treeChain } from '../tree/tree.ts';

/** A WORKDIR: makes the folder where the tree has none, without mounting anything. */
export class WorkdirStep implements BuildStep {
  readonly plan: WorkdirPlan;
  readonly #workshop: BuildWorkshop;

  constructor(plan: WorkdirPlan, workshop: BuildWorkshop) {
    this.plan = plan;
    this.#workshop = workshop;
  }

  async keyParts([below]: readonly Tree[]): Promise<KeyParts> {
    const { path, user, platform } = this.plan;
    const { clampSeconds } = this.#workshop;
    return {
      operation: 'WORKDIR',
      [BELOW]: treeChain(below!),
      path,
      user,
      platform: formatPlatform(platform),
      ...(clampSeconds === undefined ? {} : { time: String(clampSeconds) }),
    };
  }

  async exec([below]: readonly Tree[], { signal }: StepRun): Promise<StepLayer> {
    const { makeWorkdir } = await import('./make-workdir.ts');
    return await makeWorkdir(this.plan, this.#workshop, below!, signal);
  }
}
