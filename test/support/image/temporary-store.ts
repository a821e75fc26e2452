import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';

export interface TemporaryStore extends AsyncDisposable {
  readonly store: Store;
  /** Holds `root` and `run`; free for other files of the test. */
  readonly folder: string;
}

/** A store of its own in a temporary folder that goes with the test. */
export async function temporaryStore(): Promise<TemporaryStore> {
  const folder = await mkdtemp(join(tmpdir(), 'ocits-store-'));
  const store = await openStore({ root: join(folder, 'root'), run: join(folder, 'run') });
  return {
    store,
    folder,
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}
