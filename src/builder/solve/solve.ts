/**
 * The room that gets steps done: the graph of a plan, each step once and after its inputs, side by side where they do
 * not need each other, and from the build cache where it was done before. `build.ts` starts it; steps say what their
 * key is made of (`BuildStep`). `system df` and the collection of garbage read the cache. It knows nothing of what a
 * step does.
 *
 *     const step = (each: StepPlan, inputs: readonly Tree[]) => runner.run(makeStep(each, job), inputs, signal);
 *     const graph = stepGraph(plan.stages, { image: (origin, label) => images.tree(origin, label), step });
 *     const [tree] = await solve([graph], { limit: 2 }, (node, inputs: readonly Tree[]) => node.work(inputs, signal));
 */

import pLimit from 'p-limit';

/** What a walk over a graph needs to know of a step: the steps that must be done before it. */
export interface GraphNode {
  readonly inputs: readonly this[];
}

export interface SolveOptions {
  /** How many steps may work at once. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Visits `targets` and all that they need, each step once, after its inputs and with their results; steps that do
 * not need each other go at the same time. The first failure aborts the signal that the others were given; all are
 * awaited, then that first failure is thrown. Gives the results of `targets`, in their order.
 */
export async function solve<N extends GraphNode, R>(
  targets: readonly N[],
  options: SolveOptions,
  visit: (node: N, inputs: readonly R[], signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const controller = new AbortController();
  const signal =
    options.signal === undefined ? controller.signal : AbortSignal.any([options.signal, controller.signal]);
  const slots = pLimit(options.limit);
  const running = new Map<N, Promise<R>>();
  let failure: { readonly error: unknown } | undefined;

  // Runs within the slot: the next step must see the failure before it begins.
  const guarded = async (work: () => Promise<R>): Promise<R> => {
    try {
      signal.throwIfAborted();
      return await work();
    } catch (error) {
      failure ??= { error };
      controller.abort(failure.error);
      throw error;
    }
  };
  const start = (node: N): Promise<R> => {
    const known = running.get(node);
    if (known !== undefined) return known;
    const inputs = Promise.all(node.inputs.map(start));
    const result = inputs.then((results) => slots(() => guarded(() => visit(node, results, signal))));
    running.set(node, result);
    return result;
  };

  const results = targets.map(start);
  await Promise.allSettled(running.values());
  if (failure !== undefined) throw failure.error;
  return await Promise.all(results);
}
