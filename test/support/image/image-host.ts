import type { Snapshotter } from '../../../src/snapshotter/snapshotter.ts';
import { temporaryStore } from './temporary-store.ts';
import { type TestHost, testHost } from './test-host.ts';

/** For what works on images that nobody has unpacked: has no snapshot, and makes none. */
function emptySnapshotter(): Snapshotter {
  const none = async (): Promise<never> => {
    throw new Error('this test unpacks nothing');
  };
  return {
    name: 'none',
    stat: async () => undefined,
    remove: async () => {},
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
    [Symbol.asyncDispose]: async () => {},
  };
}

export interface PackedHost extends TestHost, AsyncDisposable {
  readonly folder: string;
}

/** A host with a store of its own, in which no layer is unpacked. */
export async function temporaryHost(): Promise<PackedHost> {
  const made = await temporaryStore();
  return {
    ...testHost(made.store, emptySnapshotter()),
    folder: made.folder,
    [Symbol.asyncDispose]: async () => await made[Symbol.asyncDispose](),
  };
}
