import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** A proxy that knows a few hosts, all of them on the loopback: so a test can have registries of any name. */
export interface TestProxy extends AsyncDisposable {
  /** For `HTTPS_PROXY` and `HTTP_PROXY`. */
  readonly url: string;
  /** `CONNECT host:port` and `GET http://…`, as they were asked for. */
  readonly requests: string[];
}

/** `routes`: the loopback port that stands for a `host:port`. Other hosts are answered with 502. */
export async function startProxy(routes: Readonly<Record<string, number>>): Promise<TestProxy> {
  const requests: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '');
    requests.push(`${request.method} ${url.href}`);
    const port = routes[`${url.hostname}:${url.port === '' ? '80' : url.port}`];
    if (port === undefined) return void response.writeHead(502).end('no such host');
    const path = url.pathname + url.search;
    const options = { host: '127.0.0.1', port, method: request.method, path, headers: request.headers };
    const onward = httpRequest({ ...options, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on('connect', (request, socket, head) => {
    requests.push(`CONNECT ${request.url}`);
    const port = routes[request.url ?? ''];
    if (port === undefined) return void socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        sockets.delete(one);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
