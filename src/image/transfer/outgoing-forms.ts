import type { Call } from '../../call.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Image } from '../image.ts';
import type { ManifestContent } from '../image-documents.ts';
import type { BlobInTheMaking } from './image-source.ts';

/** In which form the layers of an image go where they are copied: compressed, or as uncompressed tars. */
export interface OutgoingForms {
  /**
   * The layer as it goes; the source can give it then. Where it has to be made, `onContent` is called with its bytes
   * while they come.
   */
  layer(
    image: Image,
    position: number,
    call: Call,
    onContent?: (blob: BlobInTheMaking) => void,
  ): Promise<Descriptor>;
  /** The layer as it goes, where nothing has to be made for that. */
  readonly known?: ((image: Image, position: number) => Promise<Descriptor | undefined>) | undefined;
  /** The manifest that lists the layers as they went; undefined where the image's own may stay. */
  manifest(image: Image, layers: readonly Descriptor[]): ManifestContent | undefined;
}
