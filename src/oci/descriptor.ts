/**
 * The room of image-spec: digests, references, platforms, descriptors, manifests, configurations and media types, as
 * data and as readers of hostile input. Everyone may call it, and it calls nobody but for errors. It is pure: a
 * digest here says what bytes must be, and who has them is not its affair.
 *
 *     const reference = withDefaultTag(parseReference('node'));
 *     const content = Buffer.from(canonicalJson(manifest));
 *     const root: Descriptor = { mediaType: OCI_MANIFEST, digest: digestOf(content), size: content.length };
 */

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
