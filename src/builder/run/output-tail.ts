const KEPT_BYTES = 16 * 1024;
const SHOWN_LINES = 25;

/** Keeps the last of what a step prints, in constant memory whatever it prints. */
export class OutputTail {
  #chunks: Uint8Array[] = [];
  #size = 0;

  add(data: Uint8Array): void {
    // A copy: the chunk may be a view of a much larger buffer.
    this.#chunks.push(Buffer.from(data.subarray(Math.max(data.length - KEPT_BYTES, 0))));
    this.#size += Math.min(data.length, KEPT_BYTES);
    while (this.#size - this.#chunks[0]!.length >= KEPT_BYTES) this.#size -= this.#chunks.shift()!.length;
  }

  /** The last 25 lines at most, without a line break at the end. */
  text(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8').replace(/\n+$/, '');
    return text.split('\n').slice(-SHOWN_LINES).join('\n');
  }
}
