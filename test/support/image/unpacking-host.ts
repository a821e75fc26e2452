import { createOverlaySnapshotter } from '../../../src/snapshotter/overlay-snapshotter.ts';
import { temporaryStore } from './temporary-store.ts';
import { type TestHost, testHost } from './test-host.ts';

export interface UnpackingHost extends TestHost, AsyncDisposable {
  readonly folder: string;
}

/** A host with a store of its own, whose layers are really unpacked. */
export async function unpackingHost(): Promise<UnpackingHost> {
  const made = await temporaryStore();
  return {
    ...testHost(made.store, createOverlaySnapshotter(made.store.paths)),
    folder: made.folder,
    [Symbol.asyncDispose]: async () => await made[Symbol.asyncDispose](),
  };
}
