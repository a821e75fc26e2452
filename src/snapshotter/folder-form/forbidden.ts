import type { LayerEntry } from '../../layer/layer-change.ts';

/** overlayfs's own attributes, under whatever namespace: `trusted.overlay.opaque`, `user.overlay.redirect`, … */
const OVERLAY_XATTR = /^[^.]+\.overlay\./;

/** Whether overlayfs takes this attribute for its own. */
export function isOverlayXattr(name: string): boolean {
  return OVERLAY_XATTR.test(name);
}

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

/** What belongs to the host or to the file system, not to an image; as umoci and containerd have it. */
const HOST_XATTRS = new Set(['security.selinux', 'security.ima', 'security.evm', 'system.nfs4_acl']);

/** Whether a layer's tar does not tell of this attribute. */
export function isPrivateXattr(name: string): boolean {
  return isOverlayXattr(name) || HOST_XATTRS.has(name);
}
