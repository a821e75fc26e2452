import { join } from 'node:path';
import { OcitsError } from '../errors.ts';
import { prepareDigests } from '../oci/digest.ts';
import { type FileLock, lockFile } from '../system/task/lock.ts';
import type { Leases } from './leases.ts';

const IMPATIENCE_MS = 500;

/** Leases as kernel locks on one file in the run folder: they end with their process, however that ends. */
export class FileLeases implements Leases {
  readonly #path: string;

  constructor(runFolder: string) {
    this.#path = join(runFolder, 'lease');
  }

  async shared(signal?: AbortSignal): Promise<FileLock> {
    return await this.#take('shared', signal);
  }

  async exclusive(signal?: AbortSignal, onWait?: () => void): Promise<FileLock> {
    if (onWait === undefined) return await this.#take('exclusive', signal);
    const early = await this.#try('exclusive', IMPATIENCE_MS, signal);
    if (early !== undefined) return early;
    onWait();
    return await this.#take('exclusive', signal);
  }

  async tryExclusive(waitMs: number, signal?: AbortSignal): Promise<FileLock | undefined> {
    return await this.#try('exclusive', waitMs, signal);
  }

  async #try(
    mode: 'shared' | 'exclusive',
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<FileLock | undefined> {
    return await lockFile(this.#path, { mode, waitMs, signal });
  }

  async #take(mode: 'shared' | 'exclusive', signal?: AbortSignal): Promise<FileLock> {
    // Whoever works with content needs digests next.
    const options = { mode, meanwhile: prepareDigests, signal };
    const lock = await lockFile(this.#path, options);
    if (lock === undefined) throw new OcitsError('internal', 'a lease without a time limit ran out');
    return lock;
  }
}
