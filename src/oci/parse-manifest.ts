import { OcitsError } from '../errors.ts';
import { type JsonFields, readJson } from './json-fields.ts';
import type { Index, Manifest } from './manifest.ts';
import { isIndexType, isManifestType } from './media-types.ts';
import { ANNOTATION_LIMIT, readDescriptor } from './parse-descriptor.ts';

/** distribution-spec: the size that registries and clients should support for a manifest. */
export const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;
/** Far more than any image has, or overlayfs mounts. */
const LAYER_LIMIT = 1000;

export type ManifestOrIndex =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index };

const ABOUT_INDEX = { what: 'the index', limitBytes: MANIFEST_LIMIT_BYTES };
const ABOUT_MANIFEST = { what: 'the manifest', limitBytes: MANIFEST_LIMIT_BYTES };

/**
 * image-spec manifest.md and image-index.md: reads what a descriptor of type `mediaType` points at, hostile input.
 * Throws `hostile` for what is no JSON object, over 4 MiB, at once a manifest and an index, of another media type
 * inside than outside, or has a field of a wrong type; `unsupported` for types and versions that are not images'.
 */
export function parseManifestOrIndex(content: Uint8Array, mediaType: string): ManifestOrIndex {
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) {
    throw new OcitsError('unsupported', `${JSON.stringify(mediaType)} is not the type of an image manifest`);
  }
  const parsed: ManifestOrIndex = isIndexType(mediaType)
    ? { kind: 'index', index: readJson(content, ABOUT_INDEX, readIndex) }
    : { kind: 'manifest', manifest: readJson(content, ABOUT_MANIFEST, readManifest) };
  const { mediaType: inside = mediaType } = parsed.kind === 'index' ? parsed.index : parsed.manifest;
  if (inside === mediaType) return parsed;
  throw new OcitsError(
    'hostile',
    `the ${parsed.kind} says that its media type is ${JSON.stringify(inside)}, but it was announced as ${JSON.stringify(mediaType)}`,
  );
}

function readManifest(fields: JsonFields): Manifest {
  checkShape(fields, 'manifest');
  const layers = fields.list('layers', 'layer', readDescriptor);
  if (layers.length > LAYER_LIMIT) {
    throw new OcitsError('hostile', `the manifest has ${layers.length} layers, more than ${LAYER_LIMIT}`);
  }
  return {
    schemaVersion: 2,
    config: fields.object('config', readDescriptor),
    layers,
    mediaType: fields.optionalText('mediaType'),
    annotations: fields.optionalTextMap('annotations', ANNOTATION_LIMIT),
    artifactType: fields.textIfAny('artifactType'),
    subject: fields.optional('subject', readDescriptor),
  };
}

function readIndex(fields: JsonFields): Index {
  checkShape(fields, 'index');
  return {
    schemaVersion: 2,
    manifests: fields.list('manifests', 'manifest', readDescriptor),
    mediaType: fields.optionalText('mediaType'),
    annotations: fields.optionalTextMap('annotations', ANNOTATION_LIMIT),
  };
}

/** CVE-2021-41190: content that one client takes for a manifest and another one for an index is refused. */
function checkShape(fields: JsonFields, what: 'manifest' | 'index'): void {
  const version = fields.value('schemaVersion');
  if (version !== 2) {
    throw new OcitsError(
      'unsupported',
      `the ${what} has schema version ${JSON.stringify(version)}, only 2 is supported`,
    );
  }
  const hasManifests = fields.has('manifests');
  const isBoth = hasManifests && (fields.has('layers') || fields.has('config'));
  if (isBoth || hasManifests !== (what === 'index') || fields.has('fsLayers')) {
    const names = fields.names().slice(0, 10).join(', ').slice(0, 200);
    throw new OcitsError('hostile', `what was announced as ${what} is not that alone: ${names}`);
  }
}
