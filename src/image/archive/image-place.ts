import { OcitsError } from '../../errors.ts';
import { parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';

/** What `copy` can copy from and to besides registries, by the words that skopeo has for them. */
const FILE_KINDS = ['oci', 'oci-archive', 'docker-archive'] as const;
type FileKind = (typeof FILE_KINDS)[number];

/** Where images are: a repository of a registry, the folder of an OCI layout (`oci`), or an archive. */
export type ImagePlace =
  | { readonly kind: 'registry'; readonly reference: Reference }
  | { readonly kind: FileKind; readonly path: string };

/**
 * `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, or a name in a registry, which is `latest` without a tag or
 * digest. An image that is itself called such as `oci` is named in full. Throws `invalid-reference`,
 * `invalid-argument` for a path that is missing.
 */
export function parsePlace(text: string): ImagePlace {
  const kind = FILE_KINDS.find((word) => text.startsWith(`${word}:`));
  if (kind === undefined) return { kind: 'registry', reference: namedImage(text) };
  const path = text.slice(kind.length + 1);
  if (path !== '') return { kind, path };
  throw new OcitsError('invalid-argument', `${text} names no file`, {
    hint: kind === 'oci' ? 'it is oci:FOLDER' : `it is ${kind}:FILE`,
  });
}

function namedImage(text: string): Reference {
  if (text.startsWith('docker://')) {
    throw new OcitsError('invalid-reference', `${text} is no name of an image`, {
      hint: `leave docker:// out: ${text.slice('docker://'.length)}`,
    });
  }
  const reference = parseReference(text);
  const { domain, path, digest } = reference;
  return digest === undefined ? withDefaultTag(reference) : { domain, path, digest };
}
