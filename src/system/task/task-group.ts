/** Parallel work. The first failure aborts `signal`; all the rest is awaited, and then that failure is thrown. */
export class TaskGroup {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #tasks: Promise<unknown>[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(signal?: AbortSignal) {
    const own = this.#controller.signal;
    this.signal = signal === undefined ? own : AbortSignal.any([signal, own]);
  }

  /** Takes a piece of work in; gives it back, so that other work can wait for it. */
  add<T>(task: Promise<T>): Promise<T> {
    this.#tasks.push(
      task.catch((error: unknown) => {
        this.#failure ??= { error };
        this.#controller.abort(error);
      }),
    );
    return task;
  }

  /** Waits for all that was taken in. */
  async finish(): Promise<void> {
    await Promise.all(this.#tasks);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
