import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const BURST_MS = 20;

export interface SlowLink extends AsyncDisposable {
  /** Host and port that stand for the registry. */
  readonly host: string;
}

/** A loopback port that leads to `target` by a link of so many bytes a second, which all its connections share. */
export async function slowLink(target: string, bytesPerSecond: number): Promise<SlowLink> {
  const [host, port] = target.split(':') as [string, string];
  const bucket = new Bucket(bytesPerSecond);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    void pass(far, near, bucket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

async function pass(from: Socket, to: Socket, bucket: Bucket): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      await bucket.take(chunk.length);
      if (!to.write(chunk)) await once(to, 'drain');
    }
    to.end();
  } catch {
    to.destroy();
  }
}

/** The time at which what was taken until now has gone through. */
class Bucket {
  readonly #bytesPerMs: number;
  #free = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  async take(bytes: number): Promise<void> {
    const now = performance.now();
    this.#free = Math.max(this.#free, now - BURST_MS) + bytes / this.#bytesPerMs;
    if (this.#free > now) await sleep(this.#free - now);
  }
}
