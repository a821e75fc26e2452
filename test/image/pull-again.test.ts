import { describe, expect, test } from 'vitest';
import { ensureLayers } from '../../src/image/transfer/pull-image.ts';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { withRegistry } from '../support/image/test-host.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { elsewhere, here, one, pullWorld, statesOf, three, two } from '../support/registry/pull-world.ts';
import { addToFake, imageOf, indexOf } from '../support/registry/remote-image.ts';

describe('what is there', () => {
  test('all of it: one HEAD, and nothing else', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', indexOf([imageOf({ layers: [one, two], platform: here })]));
    const first = await w.pull(`${fake.host}/a/b:1`);
    fake.requests.length = 0;
    w.events.length = 0;
    const second = await w.pull(`${fake.host}/a/b:1`);
    expect(second).toMatchObject({ upToDate: true, root: first.root, image: { id: first.image.id } });
    expect(fake.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'HEAD /v2/a/b/manifests/1',
    ]);
    expect(statesOf(w.events, one.descriptor.digest)).toEqual(['exists']);
    expect(w.events.findLast(({ type }) => type === 'image')).toMatchObject({ state: 'up-to-date' });
  });

  test('some layers: only the others are fetched and unpacked', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', imageOf({ layers: [one, two], platform: here }));
    addToFake(fake, '2', imageOf({ layers: [one, two, three], platform: here }));
    await w.pull(`${fake.host}/a/b:1`);
    fake.requests.length = 0;
    w.events.length = 0;
    await w.pull(`${fake.host}/a/b:2`);
    const fetched = fake.seen('GET', /blobs/).map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
    expect(fetched).toContain(three.descriptor.digest);
    expect(fetched).not.toContain(one.descriptor.digest);
    expect(statesOf(w.events, one.descriptor.digest)).toEqual(['exists']);
    expect(statesOf(w.events, three.descriptor.digest)).toContain('unpacked');
  });

  test('a tag that has moved', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', imageOf({ layers: [one], platform: here }));
    const before = await w.pull(`${fake.host}/a/b:1`);
    const moved = imageOf({ layers: [two], platform: here });
    addToFake(fake, '1', moved);
    const missing = await w.pull(`${fake.host}/a/b:1`, { policy: 'missing' });
    expect(missing).toMatchObject({ upToDate: true, image: { id: before.image.id } });
    const after = await w.pull(`${fake.host}/a/b:1`);
    expect(after.root.digest).toBe(moved.descriptor.digest);
    expect((await w.host.store.refs.anonymous()).map(({ descriptor }) => descriptor.digest)).toEqual([
      before.root.digest,
    ]);
  });

  test('a blob that went missing is fetched again, a snapshot that went missing is unpacked again', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', imageOf({ layers: [one, three], platform: here }));
    const { image } = await w.pull(`${fake.host}/a/b:1`);
    await w.host.store.blobs.delete(one.descriptor.digest);
    const [, top] = await unpackImage(w.host.engine, w.host.call, image);
    await w.host.snapshotter.remove(top!);
    w.events.length = 0;
    fake.requests.length = 0;
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(false);
    expect(statesOf(w.events, one.descriptor.digest)).not.toContain('unpacked');
    expect(statesOf(w.events, three.descriptor.digest)).toContain('unpacked');
    expect(fake.seen('GET', /blobs/)).toHaveLength(1);
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(true);
  });

  test('the policies', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', imageOf({ layers: [one], platform: here }));
    const name = `${fake.host}/a/b:1`;
    await expect(w.pull(name, { policy: 'never' })).rejects.toMatchObject({
      code: 'not-found',
      hint: `fetch it with: ocits pull ${name}`,
    });
    expect(fake.requests).toEqual([]);
    expect((await w.pull(name, { policy: 'missing' })).upToDate).toBe(false);
    fake.requests.length = 0;
    expect((await w.pull(name, { policy: 'missing' })).upToDate).toBe(true);
    expect((await w.pull(name, { policy: 'never' })).upToDate).toBe(true);
    expect(fake.requests).toEqual([]);
    await fake[Symbol.asyncDispose]();
    await expect(w.pull(name)).rejects.toMatchObject({ code: 'network' });
    expect((await w.pull(name, { policy: 'newer' })).upToDate).toBe(true);
    await expect(w.pull(`${fake.host}/a/c:1`, { policy: 'newer' })).rejects.toMatchObject({
      code: 'network',
    });
  });

  test('only as much as is wanted, and the rest later', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', imageOf({ layers: [one, two], platform: here }));
    const name = `${fake.host}/a/b:1`;
    const { image } = await w.pull(name, { depth: 'config' });
    expect(fake.seen('GET', /blobs/)).toHaveLength(1);
    expect(await w.names()).toBe(0);
    await expect(unpackImage(w.host.engine, w.host.call, image)).rejects.toMatchObject({ code: 'not-found' });
    await ensureLayers(withRegistry(w.host, w.registry), w.host.call, image, { depth: 'layers' });
    expect(fake.seen('GET', /blobs/)).toHaveLength(3);
    expect(w.events.some((event) => event.type === 'layer' && event.state === 'unpacking')).toBe(false);
    expect(await unpackImage(w.host.engine, w.host.call, image)).toHaveLength(2);
    await ensureLayers(withRegistry(w.host, w.registry), w.host.call, image);
    expect(fake.seen('GET', /blobs/)).toHaveLength(3);
  });
});

describe('platforms', () => {
  test('one that is asked for, beside another one', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    const own = imageOf({ layers: [one], platform: here });
    const other = imageOf({ layers: [two], platform: elsewhere });
    addToFake(fake, '1', indexOf([own, other]));
    const foreign = await w.pull(`${fake.host}/a/b:1`, { platform: elsewhere });
    expect(foreign.image.manifestDescriptor.digest).toBe(other.descriptor.digest);
    const native = await w.pull(`${fake.host}/a/b:1`);
    expect(native.upToDate).toBe(false);
    expect(native.image.manifestDescriptor.digest).toBe(own.descriptor.digest);
    expect((await w.pull(`${fake.host}/a/b:1`, { platform: elsewhere })).upToDate).toBe(true);
  });

  test('one that is not there: what there is is told', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', indexOf([imageOf({ layers: [one], platform: elsewhere })]));
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({
      code: 'wrong-platform',
      message: expect.stringContaining(`there is ${elsewhere.os}/${elsewhere.architecture}`),
    });
    expect(await w.names()).toBe(0);
  });

  test('an image of another platform outside an index: pulled with a warning, refused where one is asked for', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld();
    addToFake(fake, '1', imageOf({ layers: [one], platform: elsewhere }));
    await expect(w.pull(`${fake.host}/a/b:1`, { platform: here })).rejects.toMatchObject({
      code: 'wrong-platform',
    });
    await w.pull(`${fake.host}/a/b:1`);
    expect(w.events).toContainEqual(expect.objectContaining({ level: 'warning' }));
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(true);
  });
});
