import { OcitsError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import { isDigest } from './digest.ts';
import type { Platform } from './platform.ts';

const MEDIA_TYPE_LIMIT = 255;
const ANNOTATION_LIMIT = 1024;
const URL_LIMIT = 16;

/**
 * image-spec descriptor.md: reads one descriptor out of parsed JSON that may be hostile, and keeps only the fields
 * that the spec names. `what` names it in the error. Throws `hostile`.
 */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  const fields = parseObject(value, what);
  const { mediaType, digest, size } = fields;
  if (typeof mediaType !== 'string' || mediaType === '' || mediaType.length > MEDIA_TYPE_LIMIT) {
    throw hostile(`${what} has no media type`);
  }
  if (!isDigest(digest)) throw hostile(`${what} has no valid digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw hostile(`${what} has no valid size`);
  }
  const annotations = parseStringMap(fields['annotations'], `${what}: annotations`);
  const platform = fields['platform'] == null ? undefined : parsePlatformField(fields['platform'], what);
  const urls = parseUrls(fields['urls'], what);
  const artifactType = fields['artifactType'];
  return {
    mediaType,
    digest,
    size,
    annotations,
    platform,
    urls,
    artifactType: typeof artifactType === 'string' ? artifactType : undefined,
  };
}

/** A JSON object; `hostile` for anything else. */
export function parseObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw hostile(`${what} is not a JSON object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** An object whose values are strings; undefined where it is absent or null. Throws `hostile`. */
export function parseStringMap(value: unknown, what: string): Readonly<Record<string, string>> | undefined {
  if (value == null) return undefined;
  const entries = Object.entries(parseObject(value, what));
  if (entries.length > ANNOTATION_LIMIT) throw hostile(`${what}: more than ${ANNOTATION_LIMIT}`);
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw hostile(`${what}: ${JSON.stringify(key)} is not a string`);
  }
  // Object.fromEntries defines the key __proto__ like any other.
  return Object.fromEntries(entries) as Record<string, string>;
}

function parsePlatformField(value: unknown, what: string): Platform {
  const fields = parseObject(value, `${what}: platform`);
  const { os, architecture, variant } = fields;
  const version = fields['os.version'];
  return {
    os: typeof os === 'string' ? os : '',
    architecture: typeof architecture === 'string' ? architecture : '',
    variant: typeof variant === 'string' && variant !== '' ? variant : undefined,
    'os.version': typeof version === 'string' && version !== '' ? version : undefined,
  };
}

function parseUrls(value: unknown, what: string): readonly string[] | undefined {
  if (value == null) return undefined;
  if (!Array.isArray(value) || value.length > URL_LIMIT || value.some((url) => typeof url !== 'string')) {
    throw hostile(`${what}: urls is not a short list of strings`);
  }
  return value as string[];
}

function hostile(message: string): OcitsError {
  return new OcitsError('hostile', message);
}
