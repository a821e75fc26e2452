import type { MessagePort } from 'node:worker_threads';
import {
  type FromWorker,
  type ToWorker,
  toErrorData,
  type WorkOptions,
  type WorkTable,
} from './worker-messages.ts';

/** A function for each kind of work, by name. */
export type WorkFunctions<Kinds extends WorkTable<Kinds>> = {
  readonly [K in keyof Kinds]: (job: Kinds[K]['job'], options: WorkOptions) => Promise<Kinds[K]['result']>;
};

/** A thread's own side: one piece of work at a time, from the messages of the main thread. */
export function serveWork<Kinds extends WorkTable<Kinds>>(
  port: MessagePort,
  functions: WorkFunctions<Kinds>,
): void {
  const send = (message: FromWorker) => port.postMessage(message);
  const onBytes = (bytes: number) => send({ type: 'bytes', bytes });
  const onWarning = (text: string) => send({ type: 'warning', text });
  let controller = new AbortController();
  port.on('message', (message: ToWorker) => {
    if (message.type === 'abort') {
      controller.abort();
      return;
    }
    controller = new AbortController();
    const work = functions[message.kind as keyof Kinds];
    work(message.job as Kinds[keyof Kinds]['job'], { signal: controller.signal, onBytes, onWarning }).then(
      (result) => send({ type: 'done', result }),
      (error: unknown) => send({ type: 'failed', error: toErrorData(error) }),
    );
  });
}
