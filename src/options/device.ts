/** A device node of the host that the container gets, with cgroup permissions of `rwm`. */
export interface DeviceMapping {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly permissions: string;
}

/** Reads `/dev/x[:/dev/y][:rwm]`; undefined where the text is no such thing. */
export function parseDevice(text: string): DeviceMapping | undefined {
  const parts = text.split(':');
  const last = parts.at(-1)!;
  const permissions = parts.length > 1 && /^[rwm]{1,3}$/.test(last) ? parts.pop()! : 'rwm';
  const [hostPath = '', containerPath = hostPath, ...more] = parts;
  if (more.length > 0 || !hostPath.startsWith('/') || !containerPath.startsWith('/')) return undefined;
  return { hostPath, containerPath, permissions };
}
