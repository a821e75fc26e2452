import type { ImageHost } from '../image/image.ts';
import type { IndexStore } from '../layer/index-store.ts';
import type { NetworkDriver } from '../network/network.ts';
import type { Registry } from '../registry/registry.ts';
import type { Supervisor } from '../runtime/supervisor.ts';
import type { BuildFolder } from './build-folder.ts';
import type { BuildNetwork } from './build-network.ts';
import type { RunOptions } from './build-request.ts';
import type { CopySource } from './copy-source.ts';
import type { TreeContent } from './tree-content.ts';

/** What a build works on and with. What not every build needs is opened when it is first asked for. */
export interface BuildHost extends ImageHost {
  /** Runs what RUN says. */
  supervisor(): Promise<Supervisor>;
  network(): Promise<NetworkDriver>;
  registry(): Promise<Registry>;
}

/** What the steps of one build share. */
export interface BuildWorkshop {
  readonly host: BuildHost;
  readonly folder: Omit<BuildFolder, keyof AsyncDisposable>;
  readonly content: TreeContent;
  readonly indexes: IndexStore;
  /** The build context. */
  readonly files: CopySource;
  readonly network: BuildNetwork;
  readonly runOptions: RunOptions;
  /** Times of files that are later become this. */
  readonly clampSeconds?: number;
  /** The Dockerfile's name for messages. */
  readonly file: string;
}
