/**
 * Calls back where something that is waited for takes longer than `milliseconds`. While `isExcused` says so it is
 * nobody's fault, and the wait begins anew. Does not keep the process alive.
 */
export class StallTimer implements Disposable {
  /** Whether it has called back. */
  fired = false;
  readonly #milliseconds: number;
  readonly #onStall: () => void;
  readonly #isExcused: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #armed = false;

  constructor(milliseconds: number, onStall: () => void, isExcused: () => boolean = () => false) {
    this.#milliseconds = milliseconds;
    this.#onStall = onStall;
    this.#isExcused = isExcused;
  }

  /** The wait begins, or begins anew. */
  start(): void {
    this.#armed = true;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#fire(), this.#milliseconds).unref();
    else this.#timer.refresh();
  }

  /** What was waited for has come. */
  stop(): void {
    this.#armed = false;
  }

  [Symbol.dispose](): void {
    this.stop();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fire(): void {
    if (!this.#armed) return;
    if (this.#isExcused()) this.start();
    else {
      this.fired = true;
      this.#onStall();
    }
  }
}
