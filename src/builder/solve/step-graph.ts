import type { ImageOrigin, StageBase, StageOrigin } from '../plan/graph.ts';
import type { Origin, StagePlan, StepPlan } from '../plan/step-plan.ts';
import { EMPTY_TREE, type Tree } from '../tree/tree.ts';
import type { GraphNode } from './solve.ts';

/** A piece of work that gives a tree. */
export interface TreeNode extends GraphNode {
  work(inputs: readonly Tree[], signal: AbortSignal): Promise<Tree>;
}

/** How the nodes of a graph do their work. */
export interface NodeWork {
  /** The tree of an image; `label` where it is a stage's base. */
  image(origin: ImageOrigin, label: string | undefined): Promise<Tree>;
  /** The tree after a step; `inputs` as in BuildStep. */
  step(plan: StepPlan, inputs: readonly Tree[], signal: AbortSignal): Promise<Tree>;
}

/**
 * The graph of the last of `plans`: each stage a chain of its steps, on its base or on another stage's end, with the
 * trees that its steps copy from. `plans` has every stage that another one needs.
 */
export function stepGraph(plans: readonly StagePlan[], work: NodeWork): TreeNode {
  const ends = new Map<number, TreeNode>();
  const images = new Map<string, TreeNode>();
  const imageNode = (origin: ImageOrigin, label: string | undefined): TreeNode => {
    const key = imageKey(origin);
    const known = images.get(key);
    if (known !== undefined) return known;
    const node: TreeNode = { inputs: [], work: () => work.image(origin, label) };
    images.set(key, node);
    return node;
  };
  const originNode = (origin: StageBase | ImageOrigin | StageOrigin, label?: string): TreeNode => {
    if (origin.kind === 'scratch') return { inputs: [], work: async () => EMPTY_TREE };
    if (origin.kind === 'image') return imageNode(origin, label);
    return ends.get(origin.stage.stage.index)!;
  };
  let end = originNode({ kind: 'scratch' });
  for (const plan of plans) {
    end = originNode(plan.node.base, plan.baseLabel);
    for (const step of plan.steps) {
      const sources = originsOf(step).map((origin) => originNode(origin));
      end = { inputs: [end, ...sources], work: (inputs, signal) => work.step(step, inputs, signal) };
    }
    ends.set(plan.node.stage.index, end);
  }
  return end;
}

/** What a step reads from besides the tree that it changes. */
function originsOf(step: StepPlan): Origin[] {
  if (step.kind === 'copy') return step.origin === undefined ? [] : [step.origin];
  if (step.kind === 'workdir') return [];
  return step.mounts.flatMap(({ origin }) => (origin === undefined ? [] : [origin]));
}

/** Equal for the same image of the same platform. */
export function imageKey({ reference, platform }: ImageOrigin): string {
  return JSON.stringify([reference, platform]);
}
