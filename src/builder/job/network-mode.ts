import type { BuildNetworkMode } from '../../network/choice.ts';
import type { RunPlan } from '../plan/step-plan.ts';
import type { RunSettings } from '../request/build-request.ts';

/** The network of a RUN: its own word (`RUN --network=none`) goes before the build's. */
export function networkMode({ instruction }: RunPlan, { network }: RunSettings): BuildNetworkMode {
  return instruction.network === 'default' ? network : instruction.network;
}
