import { parentPort } from 'node:worker_threads';
import { unpackToFolder } from './folder-form/unpack-to-folder.ts';
import { diffUpper } from './upper/diff-upper.ts';
import { type FromWorker, type ToWorker, toErrorData } from './workers/worker-messages.ts';

/** The thread's own side: one piece of work at a time, from the messages of the main thread. */
function serve(port: NonNullable<typeof parentPort>): void {
  const send = (message: FromWorker) => port.postMessage(message);
  let controller = new AbortController();
  port.on('message', (message: ToWorker) => {
    if (message.type === 'abort') {
      controller.abort();
      return;
    }
    controller = new AbortController();
    work(message, controller.signal, send).then(
      (result) => send({ type: 'done', result }),
      (error: unknown) => send({ type: 'failed', error: toErrorData(error) }),
    );
  });
}

async function work(
  message: Extract<ToWorker, { type: 'work' }>,
  signal: AbortSignal,
  send: (message: FromWorker) => void,
) {
  const onBytes = (bytes: number) => send({ type: 'bytes', bytes });
  const onWarning = (text: string) => send({ type: 'warning', text });
  if ('source' in message.job) return await unpackToFolder(message.job, { signal, onBytes, onWarning });
  return await diffUpper(message.job, { signal });
}

if (parentPort !== null) serve(parentPort);
