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
