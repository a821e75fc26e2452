import type { Call } from '../../call.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Image } from '../image.ts';
import type { BlobInTheMaking, ManifestContent } from './image-source.ts';

/** In which form the layers of an image go where they are copied: compressed, or as uncompressed tars. */
export interface OutgoingForms {
  /**
   * The layer as it goes, which the source can give then. Where it has to be made, and `onContent` is given, that is
   * called with what comes of it while it comes.
   */
  layer(
    image: Image,
    position: number,
    call: Call,
    onContent?: (blob: BlobInTheMaking) => void,
  ): Promise<Descriptor>;
  /** The manifest that lists the layers as they went; undefined where the image's own may stay. */
  manifest(image: Image, layers: readonly Descriptor[]): ManifestContent | undefined;
}
