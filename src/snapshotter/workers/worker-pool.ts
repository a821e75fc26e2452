import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { OcitsError } from '../../errors.ts';
import {
  type FromWorker,
  fromErrorData,
  type ToWorker,
  type WorkOptions,
  type WorkTable,
} from './worker-messages.ts';

const IDLE_MS = 1000;

interface Thread {
  readonly worker: Worker;
  idleTimer?: NodeJS.Timeout | undefined;
}

/**
 * The room of threads: they do with synchronous file calls what would take several times as long on the main thread.
 * This room does not know what the work is: the snapshotter's front names the kinds (`LayerWork`) and has the file that
 * a thread runs. Only the parts that unpack or diff may call it.
 *
 *     await using pool = new WorkerPool<LayerWork>(() => new Worker(url));
 *     const layer = await pool.run('unpack', job, { signal });
 *
 * A thread does one piece of work at a time, and there is at most one thread more than there are cores. They start when
 * there is work, and end a second after the last, or at once where the pool is disposed of; an idle one does not keep
 * the process alive.
 */
export class WorkerPool<Kinds extends WorkTable<Kinds>> implements AsyncDisposable {
  readonly #start: () => Worker;
  readonly #idle: Thread[] = [];
  readonly #waiting: (() => void)[] = [];
  /** What is under way, with a way to end it. */
  readonly #running = new Map<Promise<unknown>, () => void>();
  #free = availableParallelism() + 1;
  #isClosed = false;

  /** `start` makes a thread that serves the kinds of work, by `serveWork`. */
  constructor(start: () => Worker) {
    this.#start = start;
  }

  /**
   * Runs one piece of work; the first come is the first served. Throws what the work throws, and `aborted` where the
   * pool is disposed of.
   */
  async run<K extends keyof Kinds & string>(
    kind: K,
    job: Kinds[K]['job'],
    options: WorkOptions = {},
  ): Promise<Kinds[K]['result']> {
    await this.#enter();
    try {
      options.signal?.throwIfAborted();
      if (this.#isClosed) throw new OcitsError('aborted', 'the snapshotter has been closed');
      const thread = this.#take();
      const work = this.#runOn(thread, { type: 'work', kind, job }, options);
      this.#running.set(work, () => post(thread.worker, { type: 'abort' }));
      try {
        return (await work) as Kinds[K]['result'];
      } finally {
        this.#running.delete(work);
      }
    } finally {
      this.#leave();
    }
  }

  /** Aborts what is under way, and ends all threads. Doing it again changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running];
    for (const [, abort] of running) abort();
    await Promise.allSettled(running.map(([work]) => work));
    await Promise.all(this.#idle.splice(0).map(endThread));
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
    const thread = this.#idle.pop() ?? { worker: this.#start() };
    clearTimeout(thread.idleTimer);
    thread.worker.ref();
    return thread;
  }

  #rest(thread: Thread): void {
    thread.worker.unref();
    this.#idle.push(thread);
    // Whoever disposes of the pool waits for this thread, and ends it.
    if (this.#isClosed) return;
    thread.idleTimer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(thread), 1);
      void endThread(thread);
    }, IDLE_MS).unref();
  }

  async #runOn(
    thread: Thread,
    message: ToWorker,
    { signal, onBytes, onWarning }: WorkOptions,
  ): Promise<unknown> {
    const { worker } = thread;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    let hasEnded = false;
    const onMessage = (told: FromWorker) => {
      if (told.type === 'bytes') onBytes?.(told.bytes);
      else if (told.type === 'warning') onWarning?.(told.text);
      else if (told.type === 'done') resolve(told.result);
      else reject(fromErrorData(told.error));
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
      post(worker, message);
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      if (!hasEnded) this.#rest(thread);
    }
  }
}

async function endThread({ worker, idleTimer }: Thread): Promise<void> {
  clearTimeout(idleTimer);
  await worker.terminate();
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}
