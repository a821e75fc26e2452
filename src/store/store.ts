/**
 * The room of content on disk: blobs by digest, names that point at them, what is known of compressed forms and origins, and
 * leases that keep content alive while it is used. The engine opens it; images and builds work with it, and
 * containers tell what of it must stay. It knows no HTTP, no layer's content and no unpacked tree. What is in it is
 * whole: a blob appears when its digest is verified.
 *
 *     const store = await openStore(hostPaths());
 *     await using _lease = await store.leases.shared(signal);
 *     const root = await store.refs.resolve(parseReference('app:1'));
 */

import type { HostPaths } from '../system/paths.ts';
import type { BlobOrigins } from './blob-origins.ts';
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
  readonly origins: BlobOrigins;
  readonly leases: Leases;
}
