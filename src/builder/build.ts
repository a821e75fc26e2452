/**
 * The room of builds: from a Dockerfile and its context to an image with names. The commands `build` and `builder
 * prune` call it, and programs through `library`; `system prune` clears its cache. Its own rooms do the parts:
 * `context` and `request` are what comes in, `plan` and `solve` decide, `step` and `run` carry out, `result` makes
 * the image. Only builds write the build cache, so nothing that was pulled can pass for a step's result.
 *
 *     const image = await buildImage(engine, openCall('build', { signal }), request);
 *     await pruneBuilder(engine, call, { isAll: true });
 */

import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Call } from '../call.ts';
import { unusedBuildArgs } from '../dockerfile/expand/build-args.ts';
import type { Dockerfile, DockerfileWarning } from '../dockerfile/instruction.ts';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import type { Engine } from '../engine.ts';
import type { Image } from '../image/image.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { warning } from '../progress.ts';
import { once } from '../system/task/once.ts';
import { UndoStack } from '../system/task/undo-stack.ts';
import { openContext } from './context/context.ts';
import { BaseImages } from './job/base-images.ts';
import { OwnBuildFolder } from './job/build-folder.ts';
import type { BuildJob } from './job/build-job.ts';
import { sweepBuilds } from './job/sweep-builds.ts';
import { type BuildPlan, planBuild } from './plan/build-plan.ts';
import type { StepPlan } from './plan/step-plan.ts';
import { withExcerpt } from './request/build-error.ts';
import { BuildProgress } from './request/build-progress.ts';
import type { BuildRequest } from './request/build-request.ts';
import { timestamp } from './result/timestamp.ts';
import { writeImage } from './result/write-image.ts';
import { openBuildCache } from './solve/build-cache.ts';
import { solve } from './solve/solve.ts';
import { stepGraph } from './solve/step-graph.ts';
import { StepRunner } from './solve/step-runner.ts';
import { makeStep } from './step/make-step.ts';
import type { Tree } from './tree/tree.ts';

/**
 * Builds the image that a Dockerfile describes, and names it. Steps that were done before are taken from the cache;
 * steps that do not need each other are done at the same time. All that is under way is gone when it ends, however it
 * ends; what was done stays in the cache.
 *
 * Throws BuildError where the Dockerfile or one of its steps is at fault (`syntax`, `step-failed`, `unsupported`), and
 * what looking up images, mounting and running throw.
 */
export async function buildImage(engine: Engine, call: Call, request: BuildRequest): Promise<Image> {
  const store = await engine.store();
  await using _lease = await store.leases.shared(call.signal);
  await sweepBuilds(engine);
  await using folder = new OwnBuildFolder(engine.paths);
  const progress = new BuildProgress(call);
  const label = `[internal] load build definition from ${request.source.dockerfile ?? 'Dockerfile'}`;
  await using context = await progress.during(label, async (shown) => {
    if (request.source.context === '-') await folder.make();
    const opened = await openContext({
      ...request.source,
      scratch: folder.path,
      storeRoot: engine.paths.root,
      signal: call.signal,
    });
    shown.status('transferring dockerfile:', true, opened.dockerfile.content.length);
    return opened;
  });
  const { name, content } = context.dockerfile;
  try {
    const dockerfile = parseDockerfile(content, name);
    warnOf(dockerfile, dockerfile.warnings, call);
    warnOfUnusedArgs(dockerfile, request, call);
    const { source: files } = context;
    return await buildDockerfile(dockerfile, { engine, call, store, request, progress, folder, files });
  } catch (error) {
    throw withExcerpt(error, name, content.toString('utf8'));
  }
}

/** A build whose Dockerfile has been read. */
interface BegunBuild extends Pick<BuildJob, 'engine' | 'call' | 'store' | 'folder' | 'files'> {
  readonly request: BuildRequest;
  readonly progress: BuildProgress;
}

async function buildDockerfile(dockerfile: Dockerfile, begun: BegunBuild): Promise<Image> {
  const { engine, call, store, request, progress, folder } = begun;
  const images = new BaseImages(begun, progress, request.cache.pullsAlways);
  const plan = await planBuild(dockerfile, request.target, images, call.signal);
  warnOf(dockerfile, plan.warnings, call);
  await using undo = new UndoStack();
  const epoch = request.output.sourceDateEpoch;
  const job: BuildJob = {
    engine,
    call,
    store,
    folder,
    content: once(async () => {
      const { TreeContent } = await import('./tree/content.ts');
      return new TreeContent(engine, call, store);
    }),
    network: once(async () => {
      const { BuildNetwork } = await import('./job/build-network.ts');
      return undo.use(new BuildNetwork(() => engine.network(), folder.id, request.run));
    }),
    files: begun.files,
    runSettings: request.run,
    clampSeconds: epoch,
    file: dockerfile.file,
  };
  const { tree, doneAt } = await solvePlan(plan, job, images, begun);
  return await writeImage(store, call, progress, {
    plan,
    tree,
    doneAt,
    target: request.target,
    output: request.output,
  });
}

/** Builds of one Dockerfile in one place are compared with each other. */
async function projectOf({ source }: BuildRequest, file: string): Promise<Digest> {
  const place = source.context === '-' ? '-' : await realpath(source.context);
  return digestOf(JSON.stringify([place, file]));
}

interface Solved {
  readonly tree: Tree;
  /** RFC 3339. */
  readonly doneAt: ReadonlyMap<StepPlan, string>;
}

async function solvePlan(
  plan: BuildPlan,
  job: BuildJob,
  images: BaseImages,
  { call: { signal }, request, progress }: BegunBuild,
): Promise<Solved> {
  const { store } = job;
  const epoch = job.clampSeconds;
  const runner = new StepRunner({
    store,
    cache: openBuildCache(store.paths.root),
    usesCache: request.cache.isUsed,
    progress,
    project: await projectOf(request, job.file),
    now: () => timestamp(epoch === undefined ? Date.now() : epoch * 1000),
  });
  const doneAt = new Map<StepPlan, string>();
  const graph = stepGraph(plan.stages, {
    image: (origin, label) => images.tree(origin, label),
    step: async (step, inputs, stepSignal) => {
      const tree = await runner.run(makeStep(step, job), inputs, stepSignal);
      doneAt.set(step, tree.createdAt!);
      return tree;
    },
  });
  try {
    const limit = Math.max(availableParallelism(), 2);
    const [tree] = await solve([graph], { limit, signal }, (node, inputs: readonly Tree[], nodeSignal) =>
      node.work(inputs, nodeSignal),
    );
    images.finish();
    return { tree: tree!, doneAt };
  } finally {
    await runner.finish();
  }
}

function warnOf({ file }: Dockerfile, warnings: readonly DockerfileWarning[], call: Call): void {
  for (const { rule, message, range } of warnings) {
    call.emit(warning(`${rule}: ${message} (${file}:${range.start.line})`));
  }
}

function warnOfUnusedArgs(dockerfile: Dockerfile, { target }: BuildRequest, call: Call): void {
  const unused = unusedBuildArgs(dockerfile, target.buildArgs).filter((arg) => arg !== 'SOURCE_DATE_EPOCH');
  if (unused.length > 0) {
    call.emit(warning(`one or more build-args were not consumed: ${unused.join(', ')}`));
  }
}
