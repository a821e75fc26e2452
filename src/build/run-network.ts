import type { BuildNetworkMode, RunOptions } from './build-request.ts';
import type { RunPlan } from './plan.ts';

/** The network of a RUN: its own word (`RUN --network=none`) goes before the build's. */
export function networkMode({ instruction }: RunPlan, { network }: RunOptions): BuildNetworkMode {
  return instruction.network === 'default' ? network : instruction.network;
}
