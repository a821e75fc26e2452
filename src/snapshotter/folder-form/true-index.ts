import { createIndexBuilder, decodeIndex } from '../../layer/index/layer-index.ts';
import type { BytePath, LayerChange } from '../../layer/layer-change.ts';

/** A layer's index of what became of its entries: those that a later entry has removed with their folder are not in it. */
export class TrueIndex {
  readonly #builder = createIndexBuilder();
  /** How many changes there were when a path was dropped: earlier ones of that path count no more. */
  readonly #dropped = new Map<BytePath, number>();

  add(change: LayerChange): void {
    this.#builder.add(change);
  }

  /** Forgets what was added for `path` so far. */
  drop(path: BytePath): void {
    this.#dropped.set(path, this.#builder.count);
  }

  finish(): Buffer {
    const bytes = this.#builder.finish();
    if (this.#dropped.size === 0) return bytes;
    const all = decodeIndex(bytes);
    const kept = createIndexBuilder();
    for (let position = 0; position < all.count; position++) {
      const change = all.at(position);
      if (change.type === 'whiteout' || position >= (this.#dropped.get(change.path) ?? 0)) kept.add(change);
    }
    return kept.finish();
  }
}
