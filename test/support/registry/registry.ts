import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../../../src/system/process/spawn.ts';

/** Whom a registry with `auth: 'htpasswd'` lets in. */
export const TEST_USER = { username: 'alice', password: 'secret-of-alice' } as const;

/** Made with: perl -e 'print crypt("secret-of-alice", q($2y$05$abcdefghijklmnopqrstuu))' */
const HTPASSWD = `${TEST_USER.username}:$2y$05$abcdefghijklmnopqrstuu1Uu84v11glUzUIYqnv1xIIPMk8cfLlK\n`;

/** How a registry with token authentication knows the tokens that a test's token server signs. */
export interface TokenTrust {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly certificatePem: string;
}

export interface TestRegistryOptions {
  readonly auth?: 'htpasswd' | TokenTrust;
  /** PEM files: the registry speaks https. */
  readonly tls?: { readonly certificatePath: string; readonly keyPath: string };
  /** Answers blob requests with a pull-through copy of the registry at this URL. */
  readonly proxyOf?: string;
}

/** A running docker-registry with its content in a folder of its own. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: what goes before the slash of a reference. */
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string;
  /** Where the registry keeps its content. */
  readonly dataFolder: string;
  /** What the registry has printed so far: its access log among other things. */
  log(): string;
}

/** Starts Debian's docker-registry on a free port of the loopback. Deletion is enabled. */
export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'ocits-registry-'));
  try {
    const configPath = join(folder, 'config.yml');
    await writeFile(configPath, await configuration(folder, options));
    // The registry dies with the test process, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'docker-registry', 'serve', configPath], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
    });
    const started = await listening(child);
    const host = `127.0.0.1:${started.port}`;
    return {
      host,
      port: started.port,
      url: `${options.tls === undefined ? 'http' : 'https'}://${host}`,
      dataFolder: join(folder, 'data'),
      log: started.log,
      async [Symbol.asyncDispose]() {
        await stop(child);
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function configuration(folder: string, options: TestRegistryOptions): Promise<string> {
  const config: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      secret: 'of-a-test',
      ...(options.tls === undefined
        ? {}
        : { tls: { certificate: options.tls.certificatePath, key: options.tls.keyPath } }),
    },
    ...(options.proxyOf === undefined ? {} : { proxy: { remoteurl: options.proxyOf } }),
  };
  if (options.auth === 'htpasswd') {
    const path = join(folder, 'htpasswd');
    await writeFile(path, HTPASSWD);
    config['auth'] = { htpasswd: { realm: 'ocits test', path } };
  } else if (options.auth !== undefined) {
    const { realm, service, issuer, certificatePem } = options.auth;
    const rootcertbundle = join(folder, 'token.pem');
    await writeFile(rootcertbundle, certificatePem);
    config['auth'] = { token: { realm, service, issuer, rootcertbundle } };
  }
  // JSON is YAML.
  return JSON.stringify(config);
}

function listening(child: ChildProcess): Promise<{ port: number; log: () => string }> {
  let text = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve({ port: Number(port), log: () => text });
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`docker-registry ended with ${code}: ${text}`)));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** A key and a certificate that is its own authority, made by openssl; good for the loopback and for `hosts`. */
export async function makeCertificate(
  folder: string,
  name: string,
  hosts: readonly string[] = [],
): Promise<{ certificatePath: string; keyPath: string }> {
  const certificatePath = join(folder, `${name}.crt`);
  const keyPath = join(folder, `${name}.key`);
  const names = ['IP:127.0.0.1', 'DNS:localhost', ...hosts.map((host) => `DNS:${host}`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names.join(',')}`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyPath];
  await runTool('openssl', ['req', '-x509', '-days', '30', ...key, ...subject, '-out', certificatePath]);
  return { certificatePath, keyPath };
}
