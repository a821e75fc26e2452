/**
 * The room of what the steps of one build share: its folder, its network, its base images, and the container that a
 * RUN gets. `build.ts` makes one job for each build; `step` and `run` are handed it. Content and network are made
 * when the first step asks for them, so that a build of COPYs alone needs neither. All of it goes with the build.
 *
 *     const network = await job.network();
 *     const { networkNamespace, etcFiles } = await network.forMode(networkMode(plan, job.runSettings), signal);
 *     const merged = await (await job.content()).merged(tree, signal);
 */

import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Store } from '../../store/store.ts';
import type { RunSettings } from '../request/build-request.ts';
import type { CopySource } from '../source/copy-source.ts';
import type { TreeContent } from '../tree/content.ts';
import type { OwnBuildFolder } from './build-folder.ts';
import type { BuildNetwork } from './build-network.ts';

/** What the steps of one build share. */
export interface BuildJob {
  readonly engine: Engine;
  readonly call: Call;
  readonly store: Store;
  readonly folder: OwnBuildFolder;
  readonly content: () => Promise<TreeContent>;
  readonly network: () => Promise<BuildNetwork>;
  /** The build context. */
  readonly files: CopySource;
  readonly runSettings: RunSettings;
  /** Times of files that are later become this. */
  readonly clampSeconds?: number | undefined;
  /** The Dockerfile's name for messages. */
  readonly file: string;
}
