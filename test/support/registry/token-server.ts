import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate, TEST_USER, type TokenTrust } from './registry.ts';

interface TokenRequest {
  readonly method: string;
  readonly scopes: readonly string[];
  readonly service: string | undefined;
  readonly account: string | undefined;
  /** The name of the user, where right credentials were sent. */
  readonly user: string | undefined;
}

/** A token service whose tokens a real docker-registry accepts. Anyone may pull; the test's user may push. */
export interface TokenServer extends AsyncDisposable {
  /** For `startRegistry({ auth })`. */
  readonly trust: TokenTrust;
  readonly requests: readonly TokenRequest[];
  /** What each scope's actions are cut down to; may be replaced. */
  allow(scope: { name: string; actions: string[] }, user: string | undefined): string[];
}

const ISSUER = 'ocits-test-issuer';
const SERVICE = 'ocits-test-service';

/** Starts a token service on a free port of the loopback. */
export async function startTokenServer(options: { expiresInSeconds?: number } = {}): Promise<TokenServer> {
  const folder = await mkdtemp(join(tmpdir(), 'ocits-token-'));
  const { certificatePath, keyPath } = await makeCertificate(folder, 'token');
  const privateKey = createPrivateKey(await readFile(keyPath));
  const requests: TokenRequest[] = [];
  const http = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const body = await readBody(request);
    const params = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams;
    const user = authenticate(request, params);
    if (user === null) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ details: 'incorrect username or password' }));
      return;
    }
    const scopes = params.getAll('scope').flatMap((scope) => scope.split(' '));
    requests.push({
      method: request.method ?? '',
      scopes,
      service: params.get('service') ?? undefined,
      account: params.get('account') ?? undefined,
      user,
    });
    const access = scopes.map(parseScope).map((scope) => ({
      type: 'repository',
      name: scope.name,
      actions: server.allow(scope, user),
    }));
    const seconds = options.expiresInSeconds ?? 300;
    const token = jwt(privateKey, { sub: user ?? '', access }, seconds);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: seconds }));
  }

  const { port } = http.address() as AddressInfo;
  const server: TokenServer = {
    trust: {
      realm: `http://127.0.0.1:${port}/token`,
      service: SERVICE,
      issuer: ISSUER,
      certificatePem: await readFile(certificatePath, 'utf8'),
    },
    requests,
    allow: ({ actions }, user) => actions.filter((action) => action === 'pull' || user !== undefined),
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
  return server;
}

/** The user, undefined for nobody, null for wrong credentials. */
function authenticate(request: IncomingMessage, params: URLSearchParams): string | undefined | null {
  if (params.get('grant_type') === 'refresh_token') {
    return params.get('refresh_token') === `refresh-of-${TEST_USER.username}` ? TEST_USER.username : null;
  }
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const given = Buffer.from(header.replace(/^Basic /, ''), 'base64').toString();
  return given === `${TEST_USER.username}:${TEST_USER.password}` ? TEST_USER.username : null;
}

function parseScope(scope: string): { name: string; actions: string[] } {
  const [, name = '', actions = ''] = /^repository:(.*):([a-z,*]+)$/.exec(scope) ?? [];
  return { name, actions: actions.split(',') };
}

function jwt(key: KeyObject, claims: object, seconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: 'JWT', alg: 'ES256', kid: fingerprint(createPublicKey(key)) };
  const times = { iat: now, nbf: now - 10, exp: now + seconds, jti: String(Math.random()) };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = `${encode(header)}.${encode({ iss: ISSUER, aud: SERVICE, ...times, ...claims })}`;
  const signature = sign('sha256', Buffer.from(payload), { key, dsaEncoding: 'ieee-p1363' });
  return `${payload}.${signature.toString('base64url')}`;
}

/** libtrust's name of a key: the first 240 bits of its sha256 in base32, in groups of four. */
function fingerprint(publicKey: KeyObject): string {
  const hash = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const byte of hash.subarray(0, 30)) bits += byte.toString(2).padStart(8, '0');
  const letters = bits.match(/.{5}/g)!.map((five) => alphabet[Number.parseInt(five, 2)]);
  return letters.join('').match(/.{4}/g)!.join(':');
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
