import { OcitsError } from '../../errors.ts';
import { type CompressedFile, nameOfFile } from '../compression-format.ts';
import { DEFAULT_LIMITS, type LayerLimits } from '../layer-limits.ts';
import { type DecompressOptions, decompress } from './decompress.ts';

/** As `decompress`; throws `hostile` once a small file has become so large that it could be made to fill the disk. */
export async function* boundedContent(
  source: CompressedFile,
  options: DecompressOptions & { readonly limits?: Partial<LayerLimits> | undefined } = {},
): AsyncGenerator<Buffer, void, undefined> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  let sizeBytes = 0;
  for await (const chunk of decompress(source, options)) {
    sizeBytes += chunk.length;
    checkGrowth(source, sizeBytes, limits);
    yield chunk;
  }
}

function checkGrowth(source: CompressedFile, sizeBytes: number, limits: LayerLimits): void {
  const isBomb = sizeBytes > limits.ratioFloorBytes && sizeBytes > limits.maxRatio * source.sizeBytes;
  if (!isBomb && sizeBytes <= limits.maxBytes) return;
  const what = isBomb ? `over ${limits.maxRatio} times its compressed size` : `over ${limits.maxBytes} bytes`;
  throw new OcitsError('hostile', `${nameOfFile(source)} unpacks to ${what}`, {
    hint: 'it is faulty or an attack; nothing of it is kept',
  });
}
