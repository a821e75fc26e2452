import type { RunPlan } from '../plan/step-plan.ts';
import type { BuildNetworkMode, RunSettings } from '../request/build-request.ts';

/** The network of a RUN: its own word (`RUN --network=none`) goes before the build's. */
export function networkMode({ instruction }: RunPlan, { network }: RunSettings): BuildNetworkMode {
  return instruction.network === 'default' ? network : instruction.network;
}
