/**
 * What was made on the way and is to be undone when the way fails, last first: the part of JavaScript's
 * AsyncDisposableStack that ocits uses, which Node has from version 24 on only.
 *
 * `await using undo = new UndoStack()` undoes all on leaving, unless `move` has taken it over. Every step is
 * undone, also when one fails; then the first failure is thrown.
 */
export class UndoStack implements AsyncDisposable {
  #steps: (() => unknown)[] = [];

  /** Disposes of `resource` later. Gives it back. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(() =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Calls `step` later, and waits for it. */
  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** All steps in a stack of their own; this one has none left. */
  move(): UndoStack {
    const moved = new UndoStack();
    moved.#steps = this.#steps;
    this.#steps = [];
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    let failed: { readonly error: unknown } | undefined;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failed ??= { error };
      }
    }
    if (failed !== undefined) throw failed.error;
  }
}
