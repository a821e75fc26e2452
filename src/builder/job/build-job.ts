import type { ImageHost } from '../../image/image.ts';
import type { NetworkDriver } from '../../network/network.ts';
import type { NewsSink } from '../../progress.ts';
import type { Registry } from '../../registry/client/registry.ts';
import type { Supervisor } from '../../runtime/supervisor.ts';
import type { Store } from '../../store/store.ts';
import type { RunSettings } from '../request/build-request.ts';
import type { CopySource } from '../source/copy-source.ts';
import type { TreeContent } from '../tree/content.ts';
import type { OwnBuildFolder } from './build-folder.ts';
import type { BuildNetwork } from './build-network.ts';

/** What a build works on and with. What a build that is all cached does not need is opened when it is asked for. */
export interface BuildHost {
  readonly store: Store;
  readonly emit: NewsSink;
  images(): Promise<ImageHost>;
  /** Runs what RUN says. */
  supervisor(): Promise<Supervisor>;
  network(): Promise<NetworkDriver>;
  registry(): Promise<Registry>;
}

/** What the steps of one build share. */
export interface BuildWorkshop {
  readonly host: BuildHost;
  readonly folder: OwnBuildFolder;
  readonly content: () => Promise<TreeContent>;
  readonly network: () => Promise<BuildNetwork>;
  /** The build context. */
  readonly files: CopySource;
  readonly runOptions: RunSettings;
  /** Times of files that are later become this. */
  readonly clampSeconds?: number;
  /** The Dockerfile's name for messages. */
  readonly file: string;
}
