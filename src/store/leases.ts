import type { FileLock } from '../system/task/lock.ts';

/**
 * Keeps content alive while it is used but has no name yet. Whoever reads or adds content holds a shared lease for
 * just that long; prune and gc hold the exclusive one.
 */
export interface Leases {
  shared(signal?: AbortSignal): Promise<FileLock>;
  /** Waits until nobody holds a lease; `onWait` is called once where that takes a while. */
  exclusive(signal?: AbortSignal, onWait?: () => void): Promise<FileLock>;
  /** Undefined where somebody still holds a lease after `waitMs`; 0 tries once. */
  tryExclusive(waitMs: number, signal?: AbortSignal): Promise<FileLock | undefined>;
}
