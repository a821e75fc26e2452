import type { ImageHost } from '../../../src/image/image.ts';
import type { ProgressEvent } from '../../../src/progress.ts';
import { createOverlaySnapshotter } from '../../../src/snapshotter/overlay/overlay-snapshotter.ts';
import { temporaryStore } from './temporary-store.ts';

export interface UnpackingHost extends ImageHost, AsyncDisposable {
  readonly folder: string;
  readonly events: ProgressEvent[];
}

/** A host with a store of its own, whose layers are really unpacked. */
export async function unpackingHost(): Promise<UnpackingHost> {
  const made = await temporaryStore();
  const events: ProgressEvent[] = [];
  return {
    store: made.store,
    folder: made.folder,
    snapshotter: createOverlaySnapshotter(made.store.paths),
    events,
    emit: (news) => events.push({ ...news, task: 'test' }),
    [Symbol.asyncDispose]: async () => await made[Symbol.asyncDispose](),
  };
}
