import { OcitsError } from '../../errors.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import type { LayerForm } from '../layer-form.ts';
import type { LayerStack } from '../records/layer-stack.ts';
import { FolderReader } from './folder-reader.ts';
import type { IndexPlaces, OpenContent } from './index-reader.ts';
import type { LayerReader } from './layer-place.ts';
import { StackReader } from './stack-reader.ts';

/** Where a stack's layers can be read, as plain data, for a thread: in their folders, or in their indexes. */
export type StackPlaces =
  | {
      /** Topmost first. */
      readonly folders: readonly { readonly tree: string; readonly opaques: readonly BytePath[] }[];
    }
  | IndexPlaces;

/** Where the layers of a stack are. */
export function placesOf(form: LayerForm, storeRoot: string, { layers, root }: LayerStack): StackPlaces {
  const folders: { tree: string; opaques: readonly BytePath[] }[] = [];
  for (const { key, opaques } of layers) {
    const tree = form.treeOf(key);
    if (tree === undefined) {
      return { indexes: layers.map(({ diffId }) => diffId).reverse(), storeRoot, root };
    }
    folders.push({ tree, opaques });
  }
  return { folders };
}

/** What is read besides the layers, and how. */
export interface OpenOptions {
  /** An upper directory over the stack, which may change while it is read. */
  readonly upper?: string | undefined;
  /** The attribute that marks its opaque folders. */
  readonly opaqueXattr: string;
  /** Opens content of layers that are no folders. Without it, only what is there can be asked for. */
  readonly openContent?: OpenContent | undefined;
}

/** Reads a stack's merged tree; undefined where there is nothing at all. */
export async function openStack(
  places: StackPlaces,
  { upper, opaqueXattr, openContent = refuse }: OpenOptions,
): Promise<StackReader | undefined> {
  const layers: LayerReader[] = [];
  if (upper !== undefined) layers.push(new FolderReader(upper, { xattr: opaqueXattr }));
  if ('folders' in places) {
    for (const { tree, opaques } of places.folders) layers.push(new FolderReader(tree, new Set(opaques)));
  } else if (places.indexes.length > 0) {
    const { openIndexes } = await import('./index-reader.ts');
    layers.push(await openIndexes(places, openContent));
  }
  return layers.length === 0 ? undefined : new StackReader(layers);
}

function refuse(): never {
  throw new OcitsError('internal', 'content of layers was asked for where only their indexes are');
}
