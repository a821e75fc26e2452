import type { Call } from '../../call.ts';
import { isOcitsError } from '../../errors.ts';
import type { NewsSink, StepEvent, StepId } from '../../progress.ts';

/** Tells of the steps of one build, its own (`[internal] …`) among them. */
export class BuildProgress {
  readonly #call: Call;
  #last = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Begins a step; it is told at once. */
  begin(label: string): ShownWork {
    this.#last++;
    const { task, emit } = this.#call;
    return new ShownWork(emit, { id: `${task}.${this.#last}`, label });
  }

  /** Does a piece of work as a step of its own. */
  async during<T>(label: string, work: (shown: ShownWork) => Promise<T>): Promise<T> {
    const shown = this.begin(label);
    try {
      const result = await work(shown);
      shown.end('done');
      return result;
    } catch (error) {
      shown.fail(error);
      throw error;
    }
  }
}

/** Where a step tells how it gets on. */
export interface StepOutput {
  /** Tells what the step prints. The chunk is not kept by the caller. */
  readonly output: (stream: 'stdout' | 'stderr', data: Uint8Array) => void;
  /** Tells what the step does besides. */
  readonly status: (name: string, isDone: boolean, bytes?: number, totalBytes?: number) => void;
}

/** A step that is shown from its begin to its end. */
export class ShownWork implements StepOutput {
  readonly #emit: NewsSink;
  readonly #step: { readonly id: StepId; readonly label: string };
  readonly #startedAt = performance.now();

  constructor(emit: NewsSink, step: { readonly id: StepId; readonly label: string }) {
    this.#emit = emit;
    this.#step = step;
    this.#tell('started');
  }

  /** Says why there was no earlier result to use. */
  missed(reason: string | undefined): void {
    if (reason !== undefined) this.#tell('started', { reason });
  }

  readonly output = (stream: 'stdout' | 'stderr', data: Uint8Array): void => {
    this.#emit({ type: 'output', stepId: this.#step.id, stream, data });
  };

  readonly status = (name: string, isDone: boolean, bytes?: number, totalBytes?: number): void => {
    this.#emit({
      type: 'status',
      stepId: this.#step.id,
      name,
      isDone,
      bytes,
      totalBytes,
    });
  };

  end(state: 'cached' | 'done'): void {
    this.#tell(state, this.#duration());
  }

  /** Ends a step with an error; one that was given up because of something else is cancelled. */
  fail(error: unknown, signal?: AbortSignal): void {
    const isCancelled = isOcitsError(error, 'aborted') || signal?.aborted === true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#tell(isCancelled ? 'cancelled' : 'failed', {
      ...this.#duration(),
      reason: isCancelled ? undefined : reason,
    });
  }

  #duration(): Pick<StepEvent, 'durationMs'> {
    return { durationMs: performance.now() - this.#startedAt };
  }

  #tell(state: StepEvent['state'], more: Partial<StepEvent> = {}): void {
    this.#emit({ type: 'step', ...this.#step, state, ...more });
  }
}
