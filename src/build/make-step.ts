import type { BuildStep } from './build-step.ts';
import type { BuildWorkshop } from './build-workshop.ts';
import { FileStep } from './file-step.ts';
import type { StepPlan } from './plan.ts';
import { RunStep } from './run-step.ts';
import { WorkdirStep } from './workdir-step.ts';

/** The step that carries a plan out. */
export function makeStep(plan: StepPlan, workshop: BuildWorkshop): BuildStep {
  switch (plan.kind) {
    case 'run':
      return new RunStep(plan, workshop);
    case 'workdir':
      return new WorkdirStep(plan, workshop);
    case 'copy':
      return new FileStep(plan, workshop);
  }
}
