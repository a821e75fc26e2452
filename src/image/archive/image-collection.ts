import type { Descriptor } from '../../oci/descriptor.ts';
import type { Reference } from '../../oci/reference.ts';
import type { ImageSource } from '../transfer/image-source.ts';

/** What an archive, a folder or a repository has: images (or indexes of them) with their names, and their content. */
export interface ImageCollection {
  readonly source: ImageSource;
  readonly images: readonly { readonly root: Descriptor; readonly names: readonly Reference[] }[];
}
