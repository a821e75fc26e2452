/**
 * The room of steps: for each kind of step in a plan, what its cache key is made of and how it is carried out.
 * `build.ts` makes them, and `solve` asks them for their keys and lets them run. COPY, ADD and WORKDIR write their
 * layer's tar directly; a RUN is handed to `run`. A step never reads or writes the build cache itself.
 *
 *     const step = makeStep(plan, job);
 *     const key = stepKey(await step.keyParts(inputs, signal));
 *     const { diffId } = await step.exec(inputs, run);
 */

import type { BuildJob } from '../job/build-job.ts';
import type { StepPlan } from '../plan/step-plan.ts';
import type { BuildStep } from '../solve/build-step.ts';
import { FileStep } from './file-step.ts';
import { RunStep } from './run-step.ts';
import { WorkdirStep } from './workdir-step.ts';

/** The step that carries a plan out. */
export function makeStep(plan: StepPlan, job: BuildJob): BuildStep {
  switch (plan.kind) {
    case 'run':
      return new RunStep(plan, job);
    case 'workdir':
      return new WorkdirStep(plan, job);
    case 'copy':
      return new FileStep(plan, job);
  }
}
