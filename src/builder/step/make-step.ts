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
