import type { Digest } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import type { BuildProgress, ShownWork } from '../request/build-progress.ts';
import { builtLayer, type Tree, treeChain } from '../tree/tree.ts';
import type { BuildCache, StepRecord } from './build-cache.ts';
import type { BuildStep, StepLayer } from './build-step.ts';
import { explainMiss, type PartDigests, partDigests, stepKey } from './step-key.ts';

export interface RunnerOptions {
  readonly store: Store;
  readonly cache: BuildCache;
  readonly usesCache: boolean;
  readonly progress: BuildProgress;
  /** Which builds are compared to say why the cache was missed: those with the same project. */
  readonly project: Digest;
  /** RFC 3339: what the history says of steps done now. */
  readonly now: () => string;
}

interface StepWork {
  readonly shown: ShownWork;
  readonly signal: AbortSignal;
}

interface Outcome {
  readonly record: StepRecord;
  /** Whether it was done just now. */
  readonly isNew: boolean;
}

/**
 * Does steps, or takes what the cache has for them. A record counts only where its layer is in the store. Steps with
 * one key are done once, however often the Dockerfile has them.
 */
export class StepRunner {
  readonly #options: RunnerOptions;
  readonly #underWay = new Map<Digest, Promise<StepRecord>>();
  readonly #parts: Record<string, PartDigests> = {};
  #before: Promise<Readonly<Record<string, PartDigests>>> | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** The tree after `step`. */
  async run(step: BuildStep, inputs: readonly Tree[], signal: AbortSignal): Promise<Tree> {
    const shown = this.#options.progress.begin(step.plan.label);
    try {
      const { record, isNew } = await this.#shortcut(step, inputs, { shown, signal });
      shown.end(isNew ? 'done' : 'cached');
      return grow(inputs[0]!, record);
    } catch (error) {
      shown.fail(error, signal);
      throw error;
    }
  }

  /** Keeps what the next build is compared with. */
  async finish(): Promise<void> {
    const { cache, project } = this.#options;
    if (Object.keys(this.#parts).length === 0) return;
    await cache.putProjectParts(project, { ...(await this.#earlierParts()), ...this.#parts });
  }

  async #shortcut(step: BuildStep, inputs: readonly Tree[], work: StepWork): Promise<Outcome> {
    const parts = step.shortcut?.(inputs);
    if (parts === undefined) return await this.#findOrDo(step, inputs, work);
    const key = stepKey(parts);
    const known = await this.#find(key);
    if (known !== undefined) return { record: known, isNew: false };
    const outcome = await this.#findOrDo(step, inputs, work);
    await this.#options.cache.put({ ...outcome.record, key });
    return outcome;
  }

  async #findOrDo(step: BuildStep, inputs: readonly Tree[], work: StepWork): Promise<Outcome> {
    const parts = await step.keyParts(inputs, work.signal);
    const key = stepKey(parts);
    this.#parts[step.plan.place] = partDigests(parts);
    const known = this.#underWay.get(key) ?? (await this.#find(key));
    if (known !== undefined) return { record: await known, isNew: false };
    // Another branch may have begun the same step meanwhile.
    const done = this.#underWay.get(key) ?? this.#do(step, inputs, key, work);
    this.#underWay.set(key, done);
    return { record: await done, isNew: true };
  }

  async #find(key: Digest): Promise<StepRecord | undefined> {
    const { cache, store, usesCache } = this.#options;
    if (!usesCache) return undefined;
    const record = await cache.get(key);
    if (record === undefined) return undefined;
    const blob = await store.blobs.stat(record.layer.diffId);
    return blob?.sizeBytes === record.layer.sizeBytes ? record : undefined;
  }

  async #do(
    step: BuildStep,
    inputs: readonly Tree[],
    key: Digest,
    { shown, signal }: StepWork,
  ): Promise<StepRecord> {
    shown.missed(await this.#reason(step));
    const { output, status } = shown;
    const layer = await step.exec(inputs, { signal, output, status });
    const record = this.#record(step, inputs, key, layer);
    await this.#options.cache.put(record);
    return record;
  }

  async #reason({ plan }: BuildStep): Promise<string | undefined> {
    if (!this.#options.usesCache) return undefined;
    const before = (await this.#earlierParts())[plan.place];
    return before === undefined ? undefined : explainMiss(this.#parts[plan.place]!, before);
  }

  #earlierParts(): Promise<Readonly<Record<string, PartDigests>>> {
    this.#before ??= this.#options.cache.projectParts(this.#options.project);
    return this.#before;
  }

  #record(
    step: BuildStep,
    inputs: readonly Tree[],
    key: Digest,
    { diffId, sizeBytes }: StepLayer,
  ): StepRecord {
    const below = inputs[0]!.layers.map(({ diffId }) => diffId);
    return {
      key,
      createdAt: this.#options.now(),
      label: step.plan.label,
      platform: formatPlatform(step.plan.platform),
      inputs: inputs.map(treeChain),
      diffIds: [...below, diffId],
      layer: { diffId, sizeBytes },
    };
  }
}

/** The tree with the layer of a record on top. */
function grow(below: Tree, { layer, createdAt }: StepRecord): Tree {
  return { ...below, createdAt, layers: [...below.layers, builtLayer(layer.diffId, layer.sizeBytes)] };
}
