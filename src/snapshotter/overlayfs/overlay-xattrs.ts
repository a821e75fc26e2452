/** overlayfs's own attributes, under whatever namespace: `trusted.overlay.opaque`, `user.overlay.redirect`, … */
const OVERLAY_XATTR = /^[^.]+\.overlay\./;

/** What belongs to the host or to the file system, not to an image; as umoci and containerd have it. */
const HOST_XATTRS = new Set(['security.selinux', 'security.ima', 'security.evm', 'system.nfs4_acl']);

/** Whether overlayfs takes this attribute for its own. */
export function isOverlayXattr(name: string): boolean {
  return OVERLAY_XATTR.test(name);
}

/** Whether a layer's tar does not tell of this attribute. */
export function isPrivateXattr(name: string): boolean {
  return isOverlayXattr(name) || HOST_XATTRS.has(name);
}

/** The attribute that marks an opaque folder. In a user namespace overlayfs reads `user.` attributes alone. */
export function opaqueXattr(userXattrs: boolean): string {
  return `${userXattrs ? 'user' : 'trusted'}.overlay.opaque`;
}
