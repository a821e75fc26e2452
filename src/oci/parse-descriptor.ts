import { OcitsError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import { isDigest } from './digest.ts';
import type { JsonFields } from './json-fields.ts';
import type { Platform } from './platform.ts';

const MEDIA_TYPE_LIMIT = 255;
export const ANNOTATION_LIMIT = 1024;
const URL_LIMIT = 16;

/** image-spec descriptor.md: reads one descriptor, and keeps only the fields that the spec names. Throws `hostile`. */
export function readDescriptor(fields: JsonFields): Descriptor {
  const mediaType = fields.textIfAny('mediaType');
  const digest = fields.value('digest');
  const size = fields.value('size');
  if (mediaType === undefined || mediaType === '' || mediaType.length > MEDIA_TYPE_LIMIT) {
    throw hostile(`${fields.what} has no media type`);
  }
  if (!isDigest(digest)) throw hostile(`${fields.what} has no valid digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw hostile(`${fields.what} has no valid size`);
  }
  const urls = fields.optionalTexts('urls');
  if (urls !== undefined && urls.length > URL_LIMIT) {
    throw fields.fault('urls', `has more than ${URL_LIMIT} entries`);
  }
  return {
    mediaType,
    digest,
    size,
    annotations: fields.optionalTextMap('annotations', ANNOTATION_LIMIT),
    platform: fields.optional('platform', readPlatform),
    urls,
    artifactType: fields.textIfAny('artifactType'),
  };
}

/** What is not a text counts as missing: an index may list what is no image. */
function readPlatform(fields: JsonFields): Platform {
  return {
    os: fields.textIfAny('os') ?? '',
    architecture: fields.textIfAny('architecture') ?? '',
    variant: fields.textIfAny('variant') || undefined,
    'os.version': fields.textIfAny('os.version') || undefined,
  };
}

function hostile(message: string): OcitsError {
  return new OcitsError('hostile', message);
}
