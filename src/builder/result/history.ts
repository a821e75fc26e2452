import type { HistoryEntry, ImageConfig } from '../../oci/image-config.ts';
import type { StagePlan, StepPlan } from '../plan/step-plan.ts';
import { HISTORY_COMMENT } from './image-content.ts';

/**
 * The history of a stage's image: its base's, then a line for each instruction, with the time of its step (`doneAt`,
 * RFC 3339); one that only changes the configuration has the time of the step before it. `epoch`, where given, is the
 * time of all new lines.
 */
export function builtHistory(
  base: ImageConfig | undefined,
  plans: readonly StagePlan[],
  doneAt: ReadonlyMap<StepPlan, string>,
  epoch: string | undefined,
): HistoryEntry[] {
  const history = baseHistory(base);
  let created = epoch ?? base?.created ?? history.at(-1)?.created;
  for (const { createdBy, step } of plans.flatMap((plan) => plan.history)) {
    created = epoch ?? (step === undefined ? undefined : doneAt.get(step)) ?? created;
    history.push({
      ...(created === undefined ? {} : { created }),
      created_by: createdBy,
      comment: HISTORY_COMMENT,
      ...(step === undefined ? { empty_layer: true } : {}),
    });
  }
  return history;
}

/** image-spec config.md: one line a layer, in order. A base that does not keep to that gets lines of its own. */
function baseHistory(base: ImageConfig | undefined): HistoryEntry[] {
  if (base === undefined) return [];
  const layers = base.rootfs.diff_ids.length;
  const history = [...(base.history ?? [])];
  const lines = history.filter((entry) => entry.empty_layer !== true).length;
  if (lines === layers) return history;
  const created = base.created === undefined ? {} : { created: base.created };
  return base.rootfs.diff_ids.map(() => ({ ...created, created_by: 'a layer of the base image' }));
}
