import { isOcitsError } from '../../errors.ts';
import { parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';

/** What a user calls an image by: a name, an ID or the beginning of one. Some texts can be either. */
export interface ImageName {
  /** As typed. */
  readonly text: string;
  /** With its tag; undefined where the text can only be an ID. */
  readonly reference?: Reference | undefined;
  /** What its ID begins with, with the algorithm; undefined where the text can only be a name. */
  readonly idStart?: string | undefined;
}

const ID = /^(?:sha256:)?[0-9a-f]{1,64}$/;
const FULL_ID_LENGTH = 'sha256:'.length + 64;

/** Throws `invalid-reference` for what can be neither. */
export function readImageName(text: string): ImageName {
  if (!ID.test(text)) return { text, reference: withDefaultTag(parseReference(text)) };
  const idStart = text.startsWith('sha256:') ? text : `sha256:${text}`;
  try {
    return { text, idStart, reference: withDefaultTag(parseReference(text)) };
  } catch (error) {
    if (isOcitsError(error, 'invalid-reference')) return { text, idStart };
    throw error;
  }
}

/** Whether it is a whole ID: then it is no name. */
export function isFullId({ idStart }: ImageName): boolean {
  return idStart?.length === FULL_ID_LENGTH;
}
