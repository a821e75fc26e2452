import { OcitsError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import type { Index, Manifest } from './manifest.ts';
import { isIndexType, isManifestType } from './media-types.ts';
import { parseDescriptor, parseObject, parseStringMap } from './parse-descriptor.ts';

/** distribution-spec: the size that registries and clients should support for a manifest. */
export const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;
/** Far more than any image has, or overlayfs mounts. */
const LAYER_LIMIT = 1000;

export type ManifestOrIndex =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index };

/**
 * image-spec manifest.md and image-index.md: reads what a descriptor of type `mediaType` points at, hostile input.
 * Throws `hostile` for what is no JSON object, over 4 MiB, at once a manifest and an index, of another media type
 * inside than outside, or has a field of a wrong type; `unsupported` for types and versions that are not images'.
 */
export function parseManifestOrIndex(content: Uint8Array, mediaType: string): ManifestOrIndex {
  const isIndex = isIndexType(mediaType);
  if (!isIndex && !isManifestType(mediaType)) {
    throw new OcitsError('unsupported', `${JSON.stringify(mediaType)} is not the type of an image manifest`);
  }
  const what = isIndex ? 'index' : 'manifest';
  const fields = parseJson(content, what, MANIFEST_LIMIT_BYTES);
  checkShape(fields, what, mediaType);
  if (isIndex) return { kind: 'index', index: parseIndexFields(fields) };
  return { kind: 'manifest', manifest: parseManifestFields(fields) };
}

/** A JSON object in at most `limitBytes`. Throws `hostile`. */
export function parseJson(
  content: Uint8Array,
  what: string,
  limitBytes: number,
): Readonly<Record<string, unknown>> {
  if (content.length > limitBytes) {
    throw new OcitsError('hostile', `the ${what} has ${content.length} bytes, more than ${limitBytes}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (cause) {
    throw new OcitsError('hostile', `the ${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
  return parseObject(value, `the ${what}`);
}

/** CVE-2021-41190: content that one client takes for a manifest and another one for an index is refused. */
function checkShape(fields: Readonly<Record<string, unknown>>, what: string, mediaType: string): void {
  if (fields['schemaVersion'] !== 2) {
    throw new OcitsError(
      'unsupported',
      `the ${what} has schema version ${JSON.stringify(fields['schemaVersion'])}, only 2 is supported`,
    );
  }
  const inside = fields['mediaType'];
  if (inside !== undefined && inside !== mediaType) {
    throw new OcitsError(
      'hostile',
      `the ${what} says that its media type is ${JSON.stringify(inside)}, but it was announced as ${JSON.stringify(mediaType)}`,
    );
  }
  const isBoth = 'manifests' in fields && ('layers' in fields || 'config' in fields);
  const isOther = what === 'index' ? !('manifests' in fields) : 'manifests' in fields;
  if (isBoth || isOther || 'fsLayers' in fields) {
    throw new OcitsError('hostile', `what was announced as ${what} is not that alone: ${keysOf(fields)}`);
  }
}

function parseIndexFields(fields: Readonly<Record<string, unknown>>): Index {
  const manifests = parseDescriptors(fields['manifests'], 'the index: manifest');
  return { schemaVersion: 2, manifests, ...optionalFields(fields) };
}

function parseManifestFields(fields: Readonly<Record<string, unknown>>): Manifest {
  const config = parseDescriptor(fields['config'], 'the manifest: config');
  const layers = parseDescriptors(fields['layers'], 'the manifest: layer');
  if (layers.length > LAYER_LIMIT) {
    throw new OcitsError('hostile', `the manifest has ${layers.length} layers, more than ${LAYER_LIMIT}`);
  }
  const { artifactType, subject } = fields;
  return {
    schemaVersion: 2,
    config,
    layers,
    ...optionalFields(fields),
    artifactType: typeof artifactType === 'string' ? artifactType : undefined,
    subject: subject == null ? undefined : parseDescriptor(subject, 'the manifest: subject'),
  };
}

function parseDescriptors(value: unknown, what: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new OcitsError('hostile', `${what}s are not a list`);
  return value.map((item, index) => parseDescriptor(item, `${what} ${index + 1}`));
}

function optionalFields(fields: Readonly<Record<string, unknown>>) {
  const annotations = parseStringMap(fields['annotations'], 'annotations');
  const mediaType = fields['mediaType'];
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : undefined,
    annotations,
  };
}

function keysOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.keys(fields).slice(0, 10).join(', ').slice(0, 200);
}
