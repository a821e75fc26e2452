/**
 * The room of planning: which stages the target needs (`graph`), what each instruction does to the image's
 * configuration, and the steps that are left to be done. `build.ts` makes the plan, and the rooms behind it read it;
 * `import --change` applies single instructions. It fetches nothing but, through `BaseLookup`, the configurations of
 * base images, and looks at no file of the context.
 *
 *     const plan = await planBuild(dockerfile, request.target, images, signal);
 *     const steps = plan.stages.flatMap((stage) => stage.steps);
 */

import { toldWarnings } from '../../dockerfile/check/checks.ts';
import { predefinedArgs, resolveGlobalArgs } from '../../dockerfile/expand/build-args.ts';
import type { Dockerfile, DockerfileWarning } from '../../dockerfile/instruction.ts';
import { parseTrigger } from '../../dockerfile/parse/parse.ts';
import type { Image } from '../../image/image.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { familiarName } from '../../oci/reference.ts';
import type { BuildTarget } from '../request/build-request.ts';
import { type GraphStage, type ImageOrigin, stageGraph } from './graph.ts';
import { type PlannedStage, planStage } from './stage-plan.ts';
import { imageStart, SCRATCH_START, type StageStart } from './stage-start.ts';
import type { StagePlan } from './step-plan.ts';

/** All that is known of a build before its first step. */
export interface BuildPlan {
  /** Every stage that is needed, in the order of the file; the target is the last. */
  readonly stages: readonly StagePlan[];
  /** The target and the stages below it, lowest first. */
  readonly chain: readonly StagePlan[];
  /** The configuration of the image below the chain; undefined for scratch. */
  readonly base?: ImageConfig | undefined;
  /** What only the values of variables show. */
  readonly warnings: readonly DockerfileWarning[];
}

/** Looks up manifest and configuration of a base image. Throws as `pullImage`. */
export interface BaseLookup {
  resolve(origin: ImageOrigin, signal: AbortSignal): Promise<Image>;
}

/**
 * Plans the stages that the target needs, once the configurations of their base images are known. Throws located
 * `syntax` errors, and what looking up an image throws.
 */
export async function planBuild(
  dockerfile: Dockerfile,
  target: BuildTarget,
  images: BaseLookup,
  signal: AbortSignal,
): Promise<BuildPlan> {
  const { platform, buildArgs, stage } = target;
  const predefined = predefinedArgs({
    buildPlatform: hostPlatform(),
    targetPlatform: platform,
    targetStage: stage,
    buildArgs,
  });
  const globalArgs = resolveGlobalArgs(dockerfile, predefined, buildArgs);
  const graph = stageGraph(dockerfile, {
    platform,
    globalArgs,
    target: stage,
  });
  const configs = await baseConfigs(graph.stages, images, signal);
  const plans = new Map<GraphStage, PlannedStage>();
  const context = { dockerfile, buildArgs, globalArgs, showsStageName: dockerfile.stages.length > 1 };
  for (const node of graph.stages) {
    plans.set(node, planStage(node, stageStart(node, plans, configs), context));
  }
  const chain = stageChain(graph.target);
  const base = configs.get(chain[0]!);
  return {
    stages: [...plans.values()],
    warnings: toldWarnings(
      dockerfile,
      [...plans.values()].flatMap(({ warnings }) => warnings),
    ),
    chain: chain.map((node) => plans.get(node)!),
    base,
  };
}

/** Looks up all images at once, those that are copied from too: a wrong name should fail before any work. */
async function baseConfigs(
  stages: readonly GraphStage[],
  images: BaseLookup,
  signal: AbortSignal,
): Promise<Map<GraphStage, ImageConfig>> {
  const configs = new Map<GraphStage, ImageConfig>();
  const resolve = async (origin: ImageOrigin, node?: GraphStage) => {
    const image = await images.resolve(origin, signal);
    if (node !== undefined) configs.set(node, image.config);
  };
  const lookups = stages.flatMap((node) => [
    ...(node.base.kind === 'image' ? [resolve(node.base, node)] : []),
    ...[...node.origins.values()].flatMap((origin) => (origin.kind === 'image' ? [resolve(origin)] : [])),
  ]);
  const failed = (await Promise.allSettled(lookups)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return configs;
}

function stageStart(
  node: GraphStage,
  plans: ReadonlyMap<GraphStage, PlannedStage>,
  configs: ReadonlyMap<GraphStage, ImageConfig>,
): StageStart {
  if (node.base.kind === 'scratch') return SCRATCH_START;
  if (node.base.kind === 'stage') return plans.get(node.base.stage)!.next;
  const config = configs.get(node)!;
  const name = familiarName(node.base.reference);
  return imageStart(
    config,
    (config.config?.OnBuild ?? []).map((trigger) => parseTrigger(trigger, name)),
  );
}

function stageChain(target: GraphStage): GraphStage[] {
  const below = target.base.kind === 'stage' ? stageChain(target.base.stage) : [];
  return [...below, target];
}
