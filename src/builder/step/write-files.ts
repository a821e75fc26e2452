import { join } from 'node:path';
import { createLayerWriter } from '../../layer/tar/layer-writer.ts';
import { warning } from '../../progress.ts';
import { planCopy } from '../copy/plan.ts';
import type { CopySelection } from '../copy/select.ts';
import { writeCopyLayer } from '../copy/write.ts';
import type { BuildJob } from '../job/build-job.ts';
import { stepFolder } from '../job/step-folder.ts';
import type { FilePlan } from '../plan/step-plan.ts';
import type { StepLayer, StepRun } from '../solve/build-step.ts';
import { parseMode } from '../target/mode.ts';
import { type CopyOwner, resolveOwner } from '../target/owner.ts';
import type { Tree } from '../tree/tree.ts';
import { storeLayer } from './store-layer.ts';

const OWNER_FILE_LIMIT_BYTES = 4 * 1024 * 1024;

/** Writes the layer of a COPY or ADD, and takes it into the store. */
export async function writeFiles(
  plan: FilePlan,
  job: BuildJob,
  { selection, below }: { readonly selection: CopySelection; readonly below: Tree },
  { signal }: StepRun,
): Promise<StepLayer> {
  const { file, clampSeconds, call } = job;
  const { instruction, workdir } = plan;
  for (const { message } of selection.warnings) call.emit(warning(message));
  const base = plan.standsAlone ? undefined : await (await job.content()).merged(below, signal);
  const owner = await findOwner(plan, job, below, signal);
  const scratch = await stepFolder(plan, job);
  await using copy = await planCopy({
    selection,
    file,
    destination: instruction.destination,
    workdir,
    base,
    owner,
    ...(instruction.chmod === undefined ? {} : { mode: parseMode(file, instruction.chmod) }),
    timeSeconds: clampSeconds ?? 0,
    scratch,
    signal,
  });
  const tarPath = join(scratch, 'layer.tar');
  using writer = createLayerWriter(tarPath, clampSeconds === undefined ? {} : { clampSeconds });
  await writeCopyLayer(copy, writer, { signal });
  return await storeLayer(job, tarPath, writer.finish());
}

async function findOwner(
  { instruction: { chown } }: FilePlan,
  { file, content }: BuildJob,
  below: Tree,
  signal: AbortSignal,
): Promise<CopyOwner | undefined> {
  if (chown === undefined) return undefined;
  return await resolveOwner(file, chown, async (path) =>
    (await content()).readFile(below, path, OWNER_FILE_LIMIT_BYTES, signal),
  );
}
