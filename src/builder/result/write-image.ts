/**
 * The room of the image that a build ends with: its configuration, history and manifest, and its names. Only
 * `build.ts` calls it, when all steps are done. All times come from the steps' records or from SOURCE_DATE_EPOCH, so
 * the same steps give the same ID.
 *
 *     const image = await writeImage(store, call, progress, { plan, tree, doneAt, target, output });
 */

import type { Call } from '../../call.ts';
import type { Image } from '../../image/image.ts';
import { commitImage } from '../../image/transfer/commit-image.ts';
import { familiarName, formatReference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { StepPlan } from '../plan/step-plan.ts';
import type { BuildProgress } from '../request/build-progress.ts';
import type { BuildOutput, BuildTarget } from '../request/build-request.ts';
import type { Tree } from '../tree/tree.ts';
import { builtHistory } from './history.ts';
import { imageConfig, ociLayer } from './image-content.ts';
import { timestamp } from './timestamp.ts';

const KEPT_TIMES =
  'files keep their times, so another machine makes another ID of the same content; SOURCE_DATE_EPOCH sets them';

/** What a build has come to. */
export interface BuildResult {
  readonly plan: BuildPlan;
  readonly tree: Tree;
  /** When each step was done: RFC 3339. */
  readonly doneAt: ReadonlyMap<StepPlan, string>;
  readonly target: BuildTarget;
  readonly output: BuildOutput;
}

/** Makes the image of a build: configuration and manifest, then its names; without one it is kept by its ID. */
export async function writeImage(
  store: Store,
  { emit }: Call,
  progress: BuildProgress,
  result: BuildResult,
): Promise<Image> {
  const { plan, tree, doneAt, output } = result;
  return await progress.during('exporting to image', async (shown) => {
    const epoch = output.sourceDateEpoch === undefined ? undefined : timestamp(output.sourceDateEpoch * 1000);
    const target = plan.chain.at(-1)!;
    const history = builtHistory(plan.base, plan.chain, doneAt, epoch);
    const created = history.findLast((entry) => entry.created !== undefined)?.created;
    const { config } = target.result;
    const labels = { ...config.Labels, ...output.labels };
    const content = {
      platform: target.node.platform,
      state: { ...target.result, config: { ...config, Labels: labels } },
      layers: tree.layers,
      history,
      ...(created === undefined ? {} : { created }),
    };
    if (epoch === undefined) emit({ type: 'message', level: 'debug', text: KEPT_TIMES });
    const layers = tree.layers.map(({ descriptor }) => ociLayer(descriptor));
    const image = await commitImage(store, imageConfig(content), layers);
    shown.status(`writing image ${image.id}`, true);
    for (const reference of output.tags) {
      await store.refs.put(reference, image.manifestDescriptor);
      shown.status(`naming to ${formatReference(reference)}`, true);
      emit({ type: 'image', state: 'tagged', reference: familiarName(reference), id: image.id });
    }
    if (output.tags.length === 0) await store.refs.putAnonymous(image.manifestDescriptor);
    const [name] = output.tags;
    emit({
      type: 'image',
      state: 'built',
      reference: name === undefined ? image.id : familiarName(name),
      id: image.id,
    });
    return image;
  });
}
