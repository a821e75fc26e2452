import type { Image } from '../image/image.ts';
import { canonicalJson } from '../oci/canonical-json.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { HistoryEntry, ImageConfig, RunConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../oci/media-types.ts';
import { normalizePlatform, type Platform } from '../oci/platform.ts';
import type { Store } from '../store/store.ts';
import type { ConfigState } from './config-change.ts';
import type { TreeLayer } from './tree.ts';

/** All that an image is made of. */
export interface ImageContent {
  readonly platform: Platform;
  readonly state: ConfigState;
  /** All layers, lowest first; those with content in the store. */
  readonly layers: readonly TreeLayer[];
  readonly history: readonly HistoryEntry[];
  /** RFC 3339; undefined where nothing has a time. */
  readonly created?: string;
}

/** The comment that BuildKit leaves in the history, and that tools look for. */
export const HISTORY_COMMENT = 'buildkit.dockerfile.v0';

/**
 * image-spec config.md, manifest.md: stores configuration and manifest, both canonical, so that the same content
 * has the same ID on any machine. Layers keep the form they have: what was built stays uncompressed. No name is set.
 */
export async function commitImage(store: Store, content: ImageContent): Promise<Image> {
  const config = imageConfig(content);
  const configBlob = await store.blobs.put(canonicalJson(config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: configBlob.digest, size: configBlob.sizeBytes },
    layers: content.layers.map(({ descriptor }) => ociLayer(descriptor)),
  };
  const manifestBlob = await store.blobs.put(canonicalJson(manifest));
  const manifestDescriptor = {
    mediaType: OCI_MANIFEST,
    digest: manifestBlob.digest,
    size: manifestBlob.sizeBytes,
  };
  return { id: configBlob.digest, manifestDescriptor, manifest, config };
}

/** The configuration of an image; pure. */
export function imageConfig({ platform, state, layers, history, created }: ImageContent): ImageConfig {
  return {
    ...(created === undefined ? {} : { created }),
    ...(state.author === undefined ? {} : { author: state.author }),
    ...normalizePlatform(platform),
    config: withoutEmpty(state.config),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history,
  };
}

/** A value that says nothing must not make another ID. */
function withoutEmpty(config: RunConfig): RunConfig {
  const kept = Object.entries(config).filter(([, value]) => {
    if (value === undefined || value === null || value === '' || value === false) return false;
    return typeof value !== 'object' || Object.keys(value).length > 0;
  });
  return Object.fromEntries(kept) as RunConfig;
}

const OCI_TYPES: Readonly<Record<string, string>> = {
  [DOCKER_LAYER]: OCI_LAYER,
  [DOCKER_LAYER_GZIP]: OCI_LAYER_GZIP,
  [DOCKER_LAYER_ZSTD]: OCI_LAYER_ZSTD,
};

/** An OCI manifest lists layers by OCI's media types; the content is the same. */
function ociLayer(descriptor: Descriptor): Descriptor {
  return { ...descriptor, mediaType: OCI_TYPES[descriptor.mediaType] ?? descriptor.mediaType };
}
