import type { Descriptor } from '../../oci/descriptor.ts';
import type { HistoryEntry, ImageConfig, RunConfig } from '../../oci/image-config.ts';
import { ociMediaType } from '../../oci/media-types.ts';
import { normalizePlatform, type Platform } from '../../oci/platform.ts';
import type { ConfigState } from '../plan/config-change.ts';
import type { TreeLayer } from '../tree/tree.ts';

/** All that an image is made of. */
export interface ImageContent {
  readonly platform: Platform;
  readonly state: ConfigState;
  /** All layers, lowest first; those with content in the store. */
  readonly layers: readonly TreeLayer[];
  readonly history: readonly HistoryEntry[];
  /** RFC 3339; undefined where nothing has a time. */
  readonly created?: string | undefined;
}

/** The comment that BuildKit leaves in the history, and that tools look for. */
export const HISTORY_COMMENT = 'buildkit.dockerfile.v0';

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

/** An OCI manifest lists layers by OCI's media types; the content is the same. */
export function ociLayer(descriptor: Descriptor): Descriptor {
  return { ...descriptor, mediaType: ociMediaType(descriptor.mediaType) };
}
