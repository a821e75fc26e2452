import type { FollowedBlob } from '../../store/blob-store.ts';

/**
 * One layer on its way into the store, between the one who fetches it and the one who unpacks it meanwhile. What the
 * fetch offers is handed over once; what nobody has taken is closed.
 */
export class LayerFetch<T = unknown> {
  /** Settles with the fetch. */
  readonly ended: Promise<T>;
  #offered: FollowedBlob | undefined;
  #hasEnded = false;
  #news = Promise.withResolvers<void>();

  /** `start` begins the fetch, and offers the blob each time that its bytes begin to come. */
  constructor(start: (offer: (content: FollowedBlob) => void) => Promise<T>) {
    this.ended = start((content) => this.#offer(content)).finally(() => {
      this.#hasEnded = true;
      this.#tell();
    });
    this.ended.catch(() => {});
  }

  /** The blob while it comes: waits until it does. Undefined once it is in the store. Throws what the fetch throws. */
  async take(): Promise<FollowedBlob | undefined> {
    while (this.#offered === undefined) {
      if (this.#hasEnded) {
        await this.ended;
        return undefined;
      }
      await this.#news.promise;
    }
    const taken = this.#offered;
    this.#offered = undefined;
    return taken;
  }

  /** Closes what nobody has taken. Call it when nobody will any more, and the fetch has ended. */
  async close(): Promise<void> {
    await this.#offered?.[Symbol.asyncDispose]();
    this.#offered = undefined;
  }

  #offer(content: FollowedBlob): void {
    void this.#offered?.[Symbol.asyncDispose]();
    this.#offered = content;
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
