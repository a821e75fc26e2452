import type { HostPaths } from '../system/paths.ts';
import type { BlobStore } from './blob-store.ts';
import type { CompressedForms } from './compressed-forms.ts';
import type { Leases } from './leases.ts';
import type { RefStore } from './ref-store.ts';

/** All content on disk. Opening makes the folders (0700) where they are missing. */
export interface Store {
  readonly paths: HostPaths;
  readonly blobs: BlobStore;
  readonly refs: RefStore;
  readonly compressed: CompressedForms;
  readonly leases: Leases;
}
