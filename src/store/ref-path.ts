import { join } from 'node:path';
import { OcitsError } from '../errors.ts';
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '../oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';

/**
 * No part of a repository's name can begin with an underscore, so these folders never meet a repository's own.
 * A tag may be anything but a name that begins with a dot or a dash, so it is safe as a file name.
 */
const TAGS = '_tags';
const DIGESTS = '_digests';

/** Where the ref of a name lies below `refs/`. A name with tag and digest is one by digest, as Docker has it. */
export function refPath(reference: Reference): string {
  const { domain, path, tag, digest } = reference;
  // A reference is plain data; only one that its own parser accepts may become a path.
  parseReference(formatReference(reference));
  if (digest !== undefined) return join(domain, path, DIGESTS, digestFile(digest));
  if (tag !== undefined) return join(domain, path, TAGS, tag);
  throw new OcitsError(
    'invalid-reference',
    `${formatReference(reference)} has neither a tag nor a digest, so it names no image`,
  );
}

/** The reference whose ref lies at `parts` below `refs/`; undefined where that is no ref of ours. */
export function referenceAt(parts: readonly string[]): Reference | undefined {
  const name = parts.slice(0, -2).join('/');
  const [kind, file] = parts.slice(-2);
  const text = kind === TAGS ? `${name}:${file}` : `${name}@${file?.replace('-', ':')}`;
  if ((kind !== TAGS && kind !== DIGESTS) || file === undefined) return undefined;
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** Whether a folder of this name holds refs, not further repositories. */
export function isRefFolder(name: string): boolean {
  return name === TAGS || name === DIGESTS;
}

/** A digest as a file's name: `sha256-<hex>`. */
export function digestFile(digest: Digest): string {
  const checked = parseDigest(digest);
  return `${digestAlgorithm(checked)}-${digestHex(checked)}`;
}
