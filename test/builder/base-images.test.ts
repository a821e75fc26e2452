import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostPlatform } from '../../src/oci/platform.ts';
import { buildHost } from '../support/builder/build-host.ts';
import { busyboxLayer } from '../support/image/busybox-image.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { imageOf, layerOf, type RemoteImage, tarOf } from '../support/registry/remote-image.ts';

async function registryWith(image: RemoteImage): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start();
  for (const [, content] of image.blobs) registry.addBlob(content);
  for (const { content, descriptor } of image.manifests) {
    registry.addManifest('latest', content, descriptor.mediaType);
  }
  return registry;
}

const layersAsked = (registry: FakeRegistry, image: RemoteImage): number =>
  registry.requests.filter(
    ({ method, path }) =>
      method === 'GET' && [...image.blobs.keys()].slice(1).some((digest) => path.includes(digest)),
  ).length;

describe('a base in a registry', () => {
  it('is only looked at where every step is COPY --link; its layers come for a RUN', async () => {
    // The store has the first layer in another form.
    const layers = [layerOf(await busyboxLayer()), layerOf(tarOf({ left: 'left' }))];
    const base = imageOf({ layers, platform: hostPlatform() });
    await using registry = await registryWith(base);
    await using made = await buildHost();
    await writeFile(join(made.context, 'f'), 'f');
    const name = `${registry.host}/base`;
    const linked = await made.build(`FROM ${name}\nENV A=1\nCOPY --link f /f\n`);
    expect(layersAsked(registry, base)).toBe(0);
    expect(linked.manifest.layers[0]).toEqual(JSON.parse(base.manifests[0]!.content.toString()).layers[0]);

    await made.build(`FROM ${name}\nRUN echo ran\n`);
    expect(made.output()).toBe('ran\n');
    expect(layersAsked(registry, base)).toBe(1);
    expect(made.events).toContainEqual(
      expect.objectContaining({ type: 'status', name: expect.stringContaining('extracting') }),
    );
  });

  it('is asked for again with --pull alone', async () => {
    const base = imageOf({ layers: [layerOf(await busyboxLayer())], platform: hostPlatform() });
    await using registry = await registryWith(base);
    await using made = await buildHost();
    const text = `FROM ${registry.host}/base\nRUN true\n`;
    await made.build(text);
    registry.requests.length = 0;
    await made.build(text);
    expect(registry.requests).toEqual([]);
    await made.build(text, { pull: true });
    expect(registry.requests.length).toBeGreaterThan(0);
  });

  it('that is not there ends the build before any step, at once for all names', async () => {
    const base = imageOf({ layers: [layerOf(await busyboxLayer())], platform: hostPlatform() });
    await using registry = await registryWith(base);
    await using made = await buildHost();
    const text = `FROM busybox\nRUN echo never\nCOPY --from=${registry.host}/base:nothing / /\n`;
    await expect(made.build(text)).rejects.toMatchObject({ code: 'not-found' });
    expect(made.output()).toBe('');
  });
});
