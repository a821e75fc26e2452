import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import {
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { hostPlatform } from '../../src/oci/platform.ts';
import { CommandLine } from '../support/program/command-line.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { addToFake, imageOf, layerOf, tarOf } from '../support/registry/remote-image.ts';

const MEGABYTE = 1024 * 1024;

let ocits: CommandLine;
let fake: FakeRegistry;
let name: string;

beforeAll(async () => {
  ocits = await CommandLine.open([]);
  fake = await FakeRegistry.start();
  name = `${fake.host}/a/b:1`;
});
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
  await ocits[Symbol.asyncDispose]();
});

/** A pull that ends, in one message, and leaves no image. */
async function refused(message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await ocits.run(['pull', name]);
  expect({ code, stdout, stderr }).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(message),
  });
  expect(stderr.match(/^ocits: /gm)).toHaveLength(1);
  expect(stderr.length).toBeLessThan(2000);
  expect(await ocits.ok('images', '-aq')).toBe('');
}

const layer = layerOf(tarOf({ 'etc/': '', 'etc/one': 'first' }));
const manifest = (config: object, layers: readonly object[] = [layer.descriptor]) => ({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config,
  layers,
});

function configOf(more: object): Buffer {
  const platform = hostPlatform();
  return Buffer.from(
    JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: [layer.diffId] }, ...more }),
  );
}

describe('a manifest', () => {
  test('of 100 MB is not read to its end, announced or not', async () => {
    const spaces = Buffer.alloc(100 * MEGABYTE, ' ');
    fake.addManifest('1', spaces);
    await refused(/more than 4194304 bytes/);
    // In chunks that never end, without a length.
    fake.on('HEAD', /manifests/, ({ response }) => void response.writeHead(405).end(), 1);
    fake.on(
      'GET',
      /manifests/,
      ({ response }) => {
        response.writeHead(200, { 'content-type': OCI_MANIFEST });
        const send = () => {
          while (response.writable && response.write(spaces.subarray(0, MEGABYTE)));
        };
        response.on('drain', send);
        send();
      },
      1,
    );
    await refused(/more than 4194304 bytes/);
  });

  test('with a config of 100 MB, or ten million history entries, or a million layers', async () => {
    const huge = Buffer.alloc(100 * MEGABYTE, ' ');
    fake.addManifest('1', manifest(fake.addBlob(huge, OCI_CONFIG)));
    await refused(/more than 8388608/);
    const history = Buffer.from(`{"history":[${'{},'.repeat(10_000_000)}{}]}`);
    fake.addManifest('1', manifest(fake.addBlob(history, OCI_CONFIG)));
    await refused(/more than 8388608/);
    // What fits the size, and has too much in it.
    fake.addManifest('1', manifest(fake.addBlob(configOf({ history: Array(20_000).fill({}) }), OCI_CONFIG)));
    fake.addBlob(layer.content);
    await refused(/history has more than 10000/);
    fake.addManifest(
      '1',
      manifest(
        { mediaType: OCI_CONFIG, digest: digestOf(Buffer.from('x')), size: 1 },
        Array(15_000).fill(layer.descriptor),
      ),
    );
    await refused(/layers, more than 1000/);
  });

  test('nested deeply, or of JSON that is none', async () => {
    fake.addManifest('1', Buffer.from(`{"schemaVersion":2,"x":${'['.repeat(1_000_000)}`));
    await refused(/is not JSON/);
    fake.addManifest('1', Buffer.from(`${'{"a":'.repeat(400_000)}1${'}'.repeat(400_000)}`));
    await refused(/is not JSON|schema version/);
    fake.addManifest('1', Buffer.from('\x1b]0;title\x07\x1b[2Jnot json'));
    await refused(/is not JSON/);
    fake.addManifest('1', Buffer.from('null'));
    await refused(/not a JSON object/);
  });

  test.each([
    ['climbs', 'sha256:../../../../etc/passwd'],
    ['has capitals', `sha256:${'A'.repeat(64)}`],
    ['ends in a slash', `sha256:${'a'.repeat(63)}/`],
    ['is endless', `sha256:${'a'.repeat(4_000)}`],
    ['is of another algorithm', `md5:${'a'.repeat(32)}`],
    ['has a line break', `sha256:${'a'.repeat(64)}\\n`],
  ])('with a digest that %s', async (_what, digest) => {
    const config = fake.addBlob(configOf({}), OCI_CONFIG);
    fake.addManifest('1', manifest(config, [{ mediaType: OCI_LAYER, digest, size: 10 }]));
    await refused(/has no valid digest/);
  });

  test('with a digest that climbs for its config, or for the manifest of an index', async () => {
    const digest = 'sha256:../../../../etc/passwd';
    fake.addManifest('1', manifest({ mediaType: OCI_CONFIG, digest, size: 10 }));
    await refused(/has no valid digest/);
    const entry = { mediaType: OCI_MANIFEST, digest, size: 10, platform: hostPlatform() };
    fake.addManifest('1', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }, OCI_INDEX);
    await refused(/has no valid digest/);
  });

  test('that is an index too, or that its type, its header or its shape contradict', async () => {
    const config = fake.addBlob(configOf({}), OCI_CONFIG);
    const both = {
      ...manifest(config),
      manifests: [{ mediaType: OCI_MANIFEST, digest: layer.diffId, size: 1 }],
    };
    fake.addManifest('1', both);
    await refused(/not that alone/);
    fake.addManifest('1', { ...both, mediaType: OCI_INDEX }, OCI_INDEX);
    await refused(/not that alone/);
    fake.addManifest('1', manifest(config), OCI_INDEX);
    await refused(/says that its media type|announced as/);
    fake.addManifest('1', { schemaVersion: 2, config, layers: [] }, OCI_INDEX);
    await refused(/not that alone/);
    fake.addManifest('1', manifest(config), DOCKER_MANIFEST);
    await refused(/says that its media type/);
  });

  test('whose sizes lie, up or down', async () => {
    for (const size of [layer.descriptor.size + 5, layer.descriptor.size - 5, -1, 1.5, 2 ** 60]) {
      const image = imageOf({
        layers: [{ ...layer, descriptor: { ...layer.descriptor, size } }],
        platform: hostPlatform(),
      });
      addToFake(fake, '1', image);
      await refused(/bytes|size/);
    }
    const config = fake.addBlob(configOf({}), OCI_CONFIG);
    fake.addManifest('1', manifest({ ...config, size: config.size + 1 }));
    await refused(/bytes|size/);
  });
});

describe('credentials', () => {
  const SECRET = Buffer.from('alice:very-secret').toString('base64');

  /** What other hosts get to hear: every request with its Authorization. */
  async function listener() {
    const heard: string[] = [];
    const server = createServer((request, response) => {
      heard.push(`${request.headers['authorization'] ?? ''} ${request.url}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"token":"t"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      heard,
      port: (server.address() as AddressInfo).port,
      [Symbol.dispose]() {
        server.closeAllConnections();
        server.close();
      },
    };
  }

  /** A home whose config.json has credentials for a registry. */
  function credentialsFor(host: string): { HOME: string } {
    const HOME = join(ocits.folder, 'home');
    mkdirSync(join(HOME, '.docker'), { recursive: true });
    const auths = { [host]: { auth: SECRET } };
    writeFileSync(join(HOME, '.docker/config.json'), JSON.stringify({ auths }));
    return { HOME };
  }

  test('go to no realm by plain http', async () => {
    using other = await listener();
    await using one = await FakeRegistry.start();
    const home = credentialsFor(one.host);
    const challenge = 'Bearer realm="http://realm.example.invalid/token",service="s"';
    for (const method of ['GET', 'HEAD']) {
      one.on(
        method,
        /./,
        ({ response }) => void response.writeHead(401, { 'www-authenticate': challenge }).end(),
      );
    }
    // Whatever was sent to that host would arrive at this proxy.
    const proxy = { HTTP_PROXY: `http://127.0.0.1:${other.port}`, NO_PROXY: '127.0.0.1' };
    const pull = await ocits.run(['pull', `${one.host}/a/b:1`], { env: { ...home, ...proxy } });
    expect(pull.code).toBe(1);
    // A token for nobody may be asked for, and is: so this looks where the credentials would have come.
    expect(other.heard).not.toEqual([]);
    expect(other.heard.filter((each) => !each.startsWith(' ') || each.includes('alice'))).toEqual([]);
    expect(pull.stderr).not.toMatch(/very-secret|YWxpY2U/);
  });

  test('stay away from where a blob is redirected, and from another host’s Location of an upload', async () => {
    using other = await listener();
    await using one = await FakeRegistry.start();
    const home = credentialsFor(one.host);
    const moved = layerOf(tarOf({ moved: 'elsewhere' }));
    addToFake(one, '1', imageOf({ layers: [moved], platform: hostPlatform() }));
    const challenge = ({ request, response, serve }: Parameters<Parameters<FakeRegistry['on']>[2]>[0]) =>
      request.headers.authorization === `Basic ${SECRET}`
        ? serve()
        : void response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    for (const method of ['GET', 'HEAD', 'POST', 'PUT']) one.on(method, /./, challenge);
    const elsewhere = `http://127.0.0.1:${other.port}/elsewhere`;
    one.on(
      'GET',
      new RegExp(moved.descriptor.digest),
      ({ response }) => void response.writeHead(307, { location: elsewhere }).end(),
    );
    const pull = await ocits.run(['pull', `${one.host}/a/b:1`], { env: home });
    expect(pull.code).toBe(1);
    one.on('POST', /uploads/, ({ response }) => void response.writeHead(202, { location: elsewhere }).end());
    const context = ocits.context({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const push = await ocits.run(['build', '--push', '-t', `${one.host}/a/pushed:1`, context], { env: home });
    expect(push.code).toBe(1);
    expect(other.heard).toContain(' /elsewhere');
    expect(other.heard.filter((each) => !each.startsWith(' '))).toEqual([]);
    expect(other.heard.some((each) => each.includes('digest='))).toBe(true);
    expect(one.requests.some(({ headers }) => headers.authorization === `Basic ${SECRET}`)).toBe(true);
    expect(pull.stderr + push.stderr).not.toMatch(/very-secret|YWxpY2U/);
    await ocits.ok('rmi', `${one.host}/a/pushed:1`);
  });
});

describe('what a registry or an image says', () => {
  const ESCAPES = '\x1b]0;pwned\x07\x1b[2J\x9b31m\u202etxt';

  /** The program on a terminal of its own. */
  async function onTerminal(...args: string[]): Promise<string> {
    const { spawn } = await import('node:child_process');
    const command = ocits
      .command(args)
      .map((word) => `'${word}'`)
      .join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: ocits.env });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stdin.end();
    await new Promise((resolve) => child.once('close', resolve));
    return text;
  }

  const HARMFUL = /\x1b\]|\x1b\[2J|\u009b|\u202e|\x07/;

  test('in errors does not steer the terminal', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: `no ${ESCAPES}` }] });
    const deny = ({ response }: { response: import('node:http').ServerResponse }) =>
      void response.writeHead(403, { 'content-type': 'application/json' }).end(body);
    fake.on('HEAD', /manifests/, ({ response }) => void response.writeHead(405).end(), 2);
    fake.on('GET', /manifests/, deny, 2);
    const piped = await ocits.run(['pull', name]);
    expect(piped.stderr).toContain('DENIED');
    expect(piped.stderr).not.toMatch(HARMFUL);
    expect(await onTerminal('pull', name)).not.toMatch(HARMFUL);
    fake.addManifest(
      '1',
      Buffer.from(`{"schemaVersion":"${ESCAPES.replace(/[\x1b\x07]/g, '')}"}`),
      OCI_MANIFEST,
    );
    expect((await ocits.run(['pull', name])).stderr).not.toMatch(HARMFUL);
  });

  test('in history, labels, variables, users and platforms does not steer the terminal', async () => {
    const config = {
      history: [{ created_by: `RUN ${ESCAPES}`, comment: ESCAPES }],
      author: ESCAPES,
      config: {
        Labels: { [ESCAPES]: ESCAPES },
        Env: [`A=${ESCAPES}`],
        User: `user ${ESCAPES}`,
        Cmd: [ESCAPES],
      },
    };
    fake.addBlob(layer.content);
    fake.addManifest('1', manifest(fake.addBlob(configOf(config), OCI_CONFIG)));
    const outputs = [await onTerminal('pull', name)];
    for (const args of [
      ['history', name],
      ['history', '--no-trunc', '--json', name],
      ['inspect', name],
      ['inspect', '--format', '{{json .Config}} {{.Config.User}} {{.Config.Labels}} {{.Author}}', name],
      ['run', '--rm', '--network', 'none', name],
      ['images', '--format', '{{.Repository}} {{.ID}}'],
    ])
      outputs.push(await onTerminal(...args));
    const id = await ocits.run(['create', '--name', 'shown', '-u', '0', name]);
    expect(id.code).toBe(0);
    outputs.push(await onTerminal('ps', '-a', '--no-trunc'), await onTerminal('start', 'shown'));
    await ocits.ok('rm', 'shown');
    for (const output of outputs) expect(output).not.toMatch(HARMFUL);
    // For a program it stays what it is.
    const exact = await ocits.ok('inspect', '--format', '{{.Config.User}}', name);
    expect(exact).toBe(`user ${ESCAPES}\n`);
    await ocits.ok('rmi', name);
  });
});
