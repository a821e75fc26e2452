import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { OcitsError } from '../../errors.ts';
import {
  type FromWorker,
  fromErrorData,
  type ToWorker,
  type WorkKind,
  type WorkKinds,
} from './worker-messages.ts';

const IDLE_MS = 1000;

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

interface Thread {
  readonly worker: Worker;
  idleTimer?: NodeJS.Timeout;
}

/**
 * Threads that work with synchronous file calls, one piece of work each: at most one more than there are cores. They
 * start when there is work, and end a second after the last; an idle one does not keep the process alive.
 */
export class WorkerPool {
  readonly #idle: Thread[] = [];
  readonly #waiting: (() => void)[] = [];
  #free = availableParallelism() + 1;

  /** Runs one piece of work; the first come is the first served. Throws what the work throws. */
  async run<K extends WorkKind>(
    kind: K,
    job: WorkKinds[K]['job'],
    options: WorkOptions = {},
  ): Promise<WorkKinds[K]['result']> {
    await this.#enter();
    try {
      options.signal?.throwIfAborted();
      return await this.#runOn(this.#take(), kind, job, options);
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }

  #take(): Thread {
    const thread = this.#idle.pop() ?? { worker: startWorker() };
    clearTimeout(thread.idleTimer);
    thread.worker.ref();
    return thread;
  }

  #rest(thread: Thread): void {
    thread.worker.unref();
    thread.idleTimer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(thread), 1);
      void thread.worker.terminate();
    }, IDLE_MS).unref();
    this.#idle.push(thread);
  }

  async #runOn<K extends WorkKind>(
    thread: Thread,
    kind: K,
    job: WorkKinds[K]['job'],
    { signal, onBytes, onWarning }: WorkOptions,
  ): Promise<WorkKinds[K]['result']> {
    const { worker } = thread;
    const { promise, resolve, reject } = Promise.withResolvers<WorkKinds[K]['result']>();
    let hasEnded = false;
    const onMessage = (message: FromWorker) => {
      if (message.type === 'bytes') onBytes?.(message.bytes);
      else if (message.type === 'warning') onWarning?.(message.text);
      else if (message.type === 'done') resolve(message.result as WorkKinds[K]['result']);
      else reject(fromErrorData(message.error));
    };
    const onError = (error: unknown) => {
      hasEnded = true;
      reject(error);
    };
    const onExit = () => onError(new OcitsError('internal', 'a thread ended while it worked'));
    const onAbort = () => post(worker, { type: 'abort' });
    worker.on('message', onMessage).once('error', onError).once('exit', onExit);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      post(worker, { type: 'work', kind, job });
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      if (!hasEnded) this.#rest(thread);
    }
  }
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

function startWorker(): Worker {
  const name = import.meta.url.endsWith('.ts') ? '../overlay-worker.ts' : './overlay-worker.js';
  // What a thread allocates is chunks that are soon of no use. With V8's own limits they pile up: measured on 940 MB of
  // layers in three threads, this saves 100 MB of memory and, by the processor's caches, a quarter of the time.
  const resourceLimits = { maxYoungGenerationSizeMb: 2 };
  // Flags that the program was started with, such as --input-type, need not fit a file.
  return new Worker(new URL(name, import.meta.url), { resourceLimits, execArgv: [] });
}
