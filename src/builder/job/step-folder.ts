import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepPlan } from '../plan/step-plan.ts';
import type { BuildJob } from './build-job.ts';

/** A step's own folder within the build's, made where it is missing. */
export async function stepFolder({ place }: StepPlan, { folder }: Pick<BuildJob, 'folder'>): Promise<string> {
  await folder.make();
  const path = join(folder.path, place.replace('/', '-'));
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}
