import type { HostPaths } from '../system/paths.ts';
import { FileCompressedForms } from './compressed-forms.ts';
import { FileBlobStore } from './file-blob-store.ts';
import { FileLeases } from './file-leases.ts';
import { FileRefStore } from './file-ref-store.ts';
import type { Store } from './store.ts';
import { makeStoreFolders } from './store-folders.ts';

/**
 * Opens the store at `paths`, and makes its folders where they are missing. Costs a dozen system calls; nothing
 * needs closing. Throws `permission` where the folders belong to somebody else.
 */
export async function openStore(paths: HostPaths): Promise<Store> {
  makeStoreFolders(paths);
  const blobs = new FileBlobStore(paths);
  return {
    paths,
    blobs,
    refs: new FileRefStore(paths, blobs),
    compressed: new FileCompressedForms(paths),
    leases: new FileLeases(paths.run),
  };
}
