import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** image-spec descriptor.md: content by digest, with its media type and size in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly platform?: Platform | undefined;
  readonly urls?: readonly string[] | undefined;
  readonly artifactType?: string | undefined;
}
