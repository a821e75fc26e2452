import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostPlatform } from '../../src/oci/platform.ts';
import { unpackingHost } from '../support/image/unpacking-host.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { partialBytes } from '../support/registry/pull-world.ts';
import { addToFake, imageOf, layerOf, tarOf } from '../support/registry/remote-image.ts';

const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../../src', path));

/** A process of its own that pulls into the store at `folder`, and prints whether it had nothing to do. */
function pullInProcess(folder: string, name: string): ChildProcess {
  const script = `
    import { openCall } from ${source('call.ts')};
    import { pullImage } from ${source('image/transfer/pull-image.ts')};
    import { openEngine } from ${source('open-engine.ts')};
    import { parseReference } from ${source('oci/reference.ts')};
    const paths = { root: ${JSON.stringify(join(folder, 'root'))}, run: ${JSON.stringify(join(folder, 'run'))} };
    const request = { reference: parseReference(${JSON.stringify(name)}), policy: 'always' };
    const { image } = await pullImage(openEngine({ paths }), openCall('pull'), request);
    console.log(image.id);`;
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_RUNTIME_DIR: folder };
  // Threads of the process take its options over, and would not know --input-type.
  const file = join(folder, 'pull.mjs');
  writeFileSync(file, script);
  return spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
}

async function output(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, text: text.trim() };
}

test('two processes that pull the same image fetch each layer once', async () => {
  await using fake = await FakeRegistry.start();
  await using host = await unpackingHost();
  const layers = Array.from({ length: 4 }, (_, index) =>
    layerOf(tarOf({ [`file${index}`]: randomBytes(500_000 * (index + 1)) }), 'none'),
  );
  addToFake(fake, '1', imageOf({ layers, platform: hostPlatform() }));
  // Neither may be done before the other one has begun.
  let waiting: (() => void)[] = [];
  fake.on('GET', /manifests/, async ({ serve }) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 2) for (const go of waiting) go();
    });
    await serve();
  });
  fake.on('GET', /blobs/, async ({ serve }) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await serve();
  });
  const name = `${fake.host}/a/b:1`;
  const both = await Promise.all([
    output(pullInProcess(host.folder, name)),
    output(pullInProcess(host.folder, name)),
  ]);
  waiting = [];
  expect(both[0]).toEqual({ code: 0, text: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  expect(both[1]).toEqual(both[0]);
  for (const { descriptor } of layers)
    expect(fake.seen('GET', new RegExp(descriptor.digest))).toHaveLength(1);
});

test('after kill -9 the next pull goes on where it stopped, and nothing half-done is left', async () => {
  await using fake = await FakeRegistry.start();
  await using host = await unpackingHost();
  const layer = layerOf(tarOf({ large: randomBytes(6_000_000) }), 'none');
  addToFake(fake, '1', imageOf({ layers: [layer], platform: hostPlatform() }));
  const blob = new RegExp(`blobs/${layer.descriptor.digest}`);
  const name = `${fake.host}/a/b:1`;
  const half = Promise.withResolvers<void>();
  fake.on(
    'GET',
    blob,
    async ({ serve }) => {
      await serve({ after: 4_000_000, how: 'stall' });
      await partialBytes(join(host.folder, 'root'), 3_000_000).then(half.resolve, half.reject);
    },
    1,
  );
  const killed = pullInProcess(host.folder, name);
  const ended = output(killed);
  await Promise.race([half.promise, ended]);
  killed.kill('SIGKILL');
  await ended;
  expect(await host.store.refs.list()).toEqual([]);
  fake.requests.length = 0;
  expect(await output(pullInProcess(host.folder, name))).toMatchObject({ code: 0 });
  expect(fake.sentBytes(blob)).toBeLessThan(layer.content.length - 2_000_000);
  expect(await readdir(join(host.folder, 'root/partial'))).toEqual([]);
});
