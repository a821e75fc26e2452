import type { LayerEntry } from '../../layer/layer-change.ts';
import { isOverlayXattr } from '../overlayfs/overlay-xattrs.ts';

/** Whether overlayfs takes this entry of an image for a whiteout. */
export function isForbiddenDevice(entry: LayerEntry): boolean {
  return entry.type === 'char' && entry.major === 0 && entry.minor === 0;
}

/** The entry without attributes that the kernel would obey instead of showing. `onDrop` is called where there are any. */
export function withoutOverlayXattrs<T extends LayerEntry>(entry: T, onDrop?: () => void): T {
  const { xattrs, ...rest } = entry;
  if (xattrs === undefined) return entry;
  const kept = new Map([...xattrs].filter(([name]) => !isOverlayXattr(name)));
  if (kept.size === xattrs.size) return entry;
  onDrop?.();
  return (kept.size === 0 ? rest : { ...rest, xattrs: kept }) as T;
}
