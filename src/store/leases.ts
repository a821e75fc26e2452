import type { FileLock } from '../system/lock.ts';

/**
 * Keeps content alive while it is used but has no name yet. Whoever reads or adds content holds a shared lease for
 * just that long; prune and gc hold the exclusive one.
 */
export interface Leases {
  shared(signal?: AbortSignal): Promise<FileLock>;
  exclusive(signal?: AbortSignal): Promise<FileLock>;
}
