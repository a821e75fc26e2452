import { OcitsError } from '../../errors.ts';

const TURN = 0;
const STATE = 1;
const GROWING = 0;
const WHOLE = 1;
const DROPPED = 2;
const SIZE_OFFSET_BYTES = 8;

/**
 * How far a file has come that one thread writes while another reads it. The state is in `memory`, which can be posted
 * to a worker thread: `new FileGrowth(memory)` is the same growth there. A growth ends once: the file is whole, or it
 * is dropped, since it is written anew or not at all.
 */
export class FileGrowth {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #size: BigInt64Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SIZE_OFFSET_BYTES * 2)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory, 0, 2);
    this.#size = new BigInt64Array(memory, SIZE_OFFSET_BYTES, 1);
  }

  /** The file's first `sizeBytes` bytes are there. */
  grew(sizeBytes: number): void {
    Atomics.store(this.#size, 0, BigInt(sizeBytes));
    this.#tell();
  }

  /** The file is whole, and is what it should be. */
  end(): void {
    this.#finish(WHOLE);
  }

  /** What was there does not count any more. Call it before the file changes. */
  drop(): void {
    this.#finish(DROPPED);
  }

  get isWhole(): boolean {
    return Atomics.load(this.#cells, STATE) === WHOLE;
  }

  /** Throws `aborted` where the file was dropped: bytes read until now may be wrong. */
  check(): void {
    if (Atomics.load(this.#cells, STATE) === DROPPED) {
      throw new OcitsError('aborted', 'what was read is written anew');
    }
  }

  /**
   * Waits until there are more than `position` bytes, and gives how many there are; no more than `position` once the
   * file is whole. Throws `aborted` where it is dropped, and what the signal says.
   */
  async moreThan(position: number, signal?: AbortSignal): Promise<number> {
    // Abort listeners run on this thread, between two looks at the state.
    const wake = () => this.#tell();
    signal?.addEventListener('abort', wake);
    try {
      for (;;) {
        const turn = Atomics.load(this.#cells, TURN);
        signal?.throwIfAborted();
        this.check();
        const { isWhole } = this;
        const sizeBytes = Number(Atomics.load(this.#size, 0));
        if (sizeBytes > position || isWhole) return sizeBytes;
        await Atomics.waitAsync(this.#cells, TURN, turn).value;
      }
    } finally {
      signal?.removeEventListener('abort', wake);
    }
  }

  /** As `moreThan`, with a blocking wait: only for a thread that has nothing else to do. Only the file ends it. */
  moreThanSync(position: number): number {
    for (;;) {
      const turn = Atomics.load(this.#cells, TURN);
      this.check();
      const { isWhole } = this;
      const sizeBytes = Number(Atomics.load(this.#size, 0));
      if (sizeBytes > position || isWhole) return sizeBytes;
      Atomics.wait(this.#cells, TURN, turn);
    }
  }

  /** Waits until the file is whole. Throws as `moreThan` does. */
  async whole(signal?: AbortSignal): Promise<void> {
    while (!this.isWhole) await this.moreThan(Number(Atomics.load(this.#size, 0)), signal);
  }

  #finish(state: number): void {
    Atomics.compareExchange(this.#cells, STATE, GROWING, state);
    this.#tell();
  }

  #tell(): void {
    Atomics.add(this.#cells, TURN, 1);
    Atomics.notify(this.#cells, TURN);
  }
}
