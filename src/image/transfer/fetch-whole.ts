import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestAlgorithm, digestOf } from '../../oci/digest.ts';
import type { ImageSource } from './image-source.ts';

/** A small blob in memory, verified. Where the bytes are wrong, the source's next place is asked. */
export async function fetchWhole(
  fetchBlob: ImageSource['fetchBlob'],
  descriptor: Descriptor,
  call: Call,
): Promise<Buffer> {
  const { digest, size } = descriptor;
  for (;;) {
    const { body, distrust } = await fetchBlob(descriptor, 0, call);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > size) break;
      chunks.push(Buffer.from(chunk));
    }
    const content = Buffer.concat(chunks);
    const found = digestOf(content, digestAlgorithm(digest));
    if (bytes === size && found === digest) return content;
    if (distrust?.() === true) continue;
    if (bytes !== size) {
      throw new OcitsError('size-mismatch', `the image config ${digest} has another size than announced`);
    }
    throw new OcitsError('digest-mismatch', `content that should be ${digest} is ${found}`);
  }
}
