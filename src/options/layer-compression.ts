/** How a layer that was built here is compressed when it leaves. */
export const LAYER_COMPRESSIONS = ['gzip', 'zstd'] as const;

export type LayerCompression = (typeof LAYER_COMPRESSIONS)[number];
