import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/media-types.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes of a request body that were read, and of the response body that were sent. */
  receivedBytes: number;
  sentBytes: number;
}

/** How the answer that would be given is spoiled. */
export interface Spoil {
  /** After so many bytes of the body … */
  readonly after?: number;
  /** … the connection is dropped, or nothing more comes, or the body ends. */
  readonly how?: 'drop' | 'stall' | 'end';
  readonly change?: (body: Buffer) => Buffer;
  readonly headers?: Record<string, string>;
  /** Answers 200 and all of the body, whatever range is asked for. */
  readonly ignoreRange?: boolean;
}

export type Behaviour = (context: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly seen: SeenRequest;
  /** The honest answer, or a spoiled one. */
  readonly serve: (spoil?: Spoil) => Promise<void>;
}) => void | Promise<void>;

interface Rule {
  readonly method: string;
  readonly path: RegExp;
  readonly behaviour: Behaviour;
  left: number;
}

/** A small registry in this process, to be told how to misbehave. All its repositories have the same content. */
export class FakeRegistry implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { content: Buffer; mediaType: string }>();
  readonly #server: Server;
  readonly #tls: boolean;
  #port = 0;
  readonly #rules: Rule[] = [];
  readonly #uploads = new Map<string, Buffer[]>();

  private constructor(server: Server, tls: boolean) {
    this.#server = server;
    this.#tls = tls;
  }

  /** Listens on a free port of the loopback; `tls` are PEM texts. */
  static async start(tls?: {
    readonly cert: string | Buffer;
    readonly key: string | Buffer;
  }): Promise<FakeRegistry> {
    let fake: FakeRegistry;
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      fake.#handle(request, response).catch(() => response.destroy());
    };
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    fake = new FakeRegistry(server, tls !== undefined);
    server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fake.#port = (server.address() as AddressInfo).port;
    return fake;
  }

  /** `127.0.0.1:PORT`; also known when it has been closed. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `${this.#tls ? 'https' : 'http'}://${this.host}`;
  }

  /** Adds content, and gives its descriptor. */
  addBlob(content: Buffer, mediaType = OCI_LAYER_GZIP): Descriptor {
    const digest = digestOf(content);
    this.blobs.set(digest, content);
    return { mediaType, digest, size: content.length };
  }

  addManifest(
    tag: string | undefined,
    manifest: object | Buffer,
    mediaType: string = OCI_MANIFEST,
  ): Descriptor {
    const content = Buffer.isBuffer(manifest) ? manifest : Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(content);
    this.manifests.set(digest, { content, mediaType });
    if (tag !== undefined) this.manifests.set(tag, { content, mediaType });
    return { mediaType, digest, size: content.length };
  }

  /** The next `times` requests that fit are answered by `behaviour`. Later rules go first. */
  on(method: string, path: RegExp, behaviour: Behaviour, times = Number.POSITIVE_INFINITY): void {
    this.#rules.unshift({ method, path, behaviour, left: times });
  }

  seen(method: string, path: RegExp): SeenRequest[] {
    return this.requests.filter((request) => request.method === method && path.test(request.path));
  }

  /** Bytes of response bodies sent for requests that fit. */
  sentBytes(path: RegExp): number {
    return this.requests.filter((r) => path.test(r.path)).reduce((sum, r) => sum + r.sentBytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    const path = request.url ?? '';
    const seen: SeenRequest = { method, path, headers: request.headers, receivedBytes: 0, sentBytes: 0 };
    this.requests.push(seen);
    request.on('error', () => {});
    const serve = (spoil: Spoil = {}) => this.#serve(request, response, seen, spoil);
    const rule = this.#rules.find((r) => r.left > 0 && r.method === method && r.path.test(path));
    if (rule === undefined) return await serve();
    rule.left--;
    await rule.behaviour({ request, response, seen, serve });
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    spoil: Spoil,
  ): Promise<void> {
    const url = new URL(seen.path, this.url);
    const [, name, kind, target = ''] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    if (url.pathname === '/v2/') return void response.writeHead(200).end('{}');
    if (kind === 'blobs/uploads')
      return await this.#upload(request, response, seen, { name: name!, id: target, url });
    if (kind === 'manifests' && seen.method === 'PUT')
      return await this.#putManifest(request, response, seen, target);
    const found =
      kind === 'manifests'
        ? this.manifests.get(target)
        : { content: this.blobs.get(target), mediaType: 'application/octet-stream' };
    if (found?.content === undefined)
      return sendError(response, 404, kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN');
    await sendContent(request, response, seen, { content: found.content, mediaType: found.mediaType }, spoil);
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    { name, id, url }: { name: string; id: string; url: URL },
  ): Promise<void> {
    if (seen.method === 'POST') {
      const mount = url.searchParams.get('mount');
      if (mount !== null && this.blobs.has(mount)) {
        return void response.writeHead(201, { location: `/v2/${name}/blobs/${mount}` }).end();
      }
      const session = String(this.#uploads.size + 1);
      this.#uploads.set(session, []);
      return void response.writeHead(202, { location: `/v2/${name}/blobs/uploads/${session}?state=x` }).end();
    }
    const parts = this.#uploads.get(id);
    if (parts === undefined) return sendError(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    parts.push(await readBody(request, seen));
    if (seen.method === 'PATCH') {
      const size = parts.reduce((sum, part) => sum + part.length, 0);
      return void response.writeHead(202, { location: url.pathname, range: `0-${size - 1}` }).end();
    }
    const content = Buffer.concat(parts);
    if (digestOf(content) !== url.searchParams.get('digest'))
      return sendError(response, 400, 'DIGEST_INVALID');
    this.blobs.set(digestOf(content), content);
    response.writeHead(201, { 'docker-content-digest': digestOf(content) }).end();
  }

  async #putManifest(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    target: string,
  ): Promise<void> {
    const content = await readBody(request, seen);
    const { digest } = this.addManifest(target, content, request.headers['content-type']);
    response.writeHead(201, { 'docker-content-digest': digest }).end();
  }
}

async function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  seen: SeenRequest,
  { content, mediaType }: { content: Buffer; mediaType: string },
  spoil: Spoil,
): Promise<void> {
  const all = spoil.change?.(content) ?? content;
  const start =
    spoil.ignoreRange === true ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start > 0 && start >= all.length) return sendError(response, 416, 'RANGE_INVALID');
  const body = all.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': mediaType,
    'content-length': body.length,
    'docker-content-digest': digestOf(content),
    ...(start > 0 ? { 'content-range': `bytes ${start}-${all.length - 1}/${all.length}` } : {}),
    ...spoil.headers,
  });
  if (request.method === 'HEAD') return void response.end();
  const part = body.subarray(0, spoil.after ?? body.length);
  seen.sentBytes += part.length;
  await new Promise<void>((resolve) => response.write(part, () => resolve()));
  if (spoil.after === undefined || spoil.how === 'end') response.end();
  else if (spoil.how === 'drop') response.destroy();
}

/** An error with the body that distribution-spec says. */
export function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: `${code.toLowerCase().replaceAll('_', ' ')}` }] }));
}

async function readBody(request: IncomingMessage, seen: SeenRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    seen.receivedBytes += chunk.length;
  }
  return Buffer.concat(chunks);
}
