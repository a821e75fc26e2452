import { removeAbandoned } from '../system/file/abandoned.ts';
import { type HostPaths, partialFolder } from '../system/paths.ts';
import { FileBlobOrigins } from './blob-origins.ts';
import { FileCompressedForms } from './compressed-forms.ts';
import { FileBlobStore } from './file-blob-store.ts';
import { FileLeases } from './file-leases.ts';
import { FileRefStore } from './file-ref-store.ts';
import type { Store } from './store.ts';
import { makeStoreFolders } from './store-folders.ts';

/**
 * Opens the store at `paths`, makes its folders where they are missing, and clears away what killed processes had under
 * way and nobody can continue. Costs a dozen system calls; nothing needs closing. Throws `permission` where the folders
 * belong to somebody else.
 */
export async function openStore(paths: HostPaths): Promise<Store> {
  makeStoreFolders(paths);
  await removeAbandoned(partialFolder(paths.root));
  const blobs = new FileBlobStore(paths);
  return {
    paths,
    blobs,
    refs: new FileRefStore(paths, blobs),
    compressed: new FileCompressedForms(paths),
    origins: new FileBlobOrigins(paths),
    leases: new FileLeases(paths.run),
  };
}
