import type { ImageHost } from '../../../src/image/image.ts';
import type { ProgressEvent } from '../../../src/progress.ts';
import type { Snapshotter } from '../../../src/snapshotter/snapshotter.ts';
import type { ContentRoots, ImageUser } from '../../../src/store/content-roots.ts';
import { temporaryStore } from './temporary-store.ts';

/** For what works on images that nobody has unpacked: has no snapshot, and makes none. */
function emptySnapshotter(): Snapshotter {
  const none = async (): Promise<never> => {
    throw new Error('this test unpacks nothing');
  };
  return {
    name: 'none',
    stat: async () => undefined,
    remove: async () => {},
    cleanup: async () => {},
    sync: async () => {},
    async *list() {},
    apply: none,
    prepare: none,
    view: none,
    readFile: none,
    look: none,
    openFile: none,
    diff: none,
    commit: none,
    usage: none,
  };
}

export interface TestHost extends ImageHost, AsyncDisposable {
  readonly folder: string;
  readonly events: ProgressEvent[];
}

/** A host with a store of its own, in which no layer is unpacked. */
export async function temporaryHost(): Promise<TestHost> {
  const made = await temporaryStore();
  const events: ProgressEvent[] = [];
  return {
    store: made.store,
    folder: made.folder,
    snapshotter: emptySnapshotter(),
    events,
    emit: (news) => events.push({ ...news, task: 'test' }),
    [Symbol.asyncDispose]: async () => await made[Symbol.asyncDispose](),
  };
}

/** Holders that are just these containers. */
export function holdersOf(...users: readonly ImageUser[]): ContentRoots {
  return { roots: [], users: async () => users };
}
