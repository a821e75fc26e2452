import type { Digest } from '../../oci/digest.ts';
import type { StepPlan } from '../plan/step-plan.ts';
import type { StepOutput } from '../request/build-progress.ts';
import type { Tree } from '../tree/tree.ts';
import type { KeyParts } from './step-key.ts';

/** A layer that a step has made and put into the store: blob and index; the snapshot too where it was at hand. */
export interface StepLayer {
  readonly diffId: Digest;
  readonly sizeBytes: number;
}

/** What a step works with while it runs. */
export interface StepRun extends StepOutput {
  readonly signal: AbortSignal;
}

/**
 * One RUN, COPY, ADD or WORKDIR. `inputs` are the trees that it works on: first the one that it changes, then those
 * that it reads from.
 *
 * `keyParts` gives all that decides on the result, and nothing else: with equal parts, an earlier result passes for
 * this one. It reads the content of a tree only where the tree's own key stands for it. `exec` does the step on the
 * first tree, and gives the layer that it makes: an empty one where nothing changes, as in BuildKit. It may be
 * interrupted at any time and leaves nothing behind then. Throws BuildError.
 */
export interface BuildStep {
  readonly plan: StepPlan;
  /** A key that is known without reading anything, where there is one: equal parts mean equal `keyParts`, too. */
  shortcut?(inputs: readonly Tree[]): KeyParts | undefined;
  keyParts(inputs: readonly Tree[], signal: AbortSignal): Promise<KeyParts>;
  exec(inputs: readonly Tree[], run: StepRun): Promise<StepLayer>;
}
