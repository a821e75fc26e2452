import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findImage } from '../../src/image/catalog/find-image.ts';
import { presentManifests } from '../../src/image/catalog/present-images.ts';
import { tagImage } from '../../src/image/catalog/tag-image.ts';
import { collectGarbage } from '../../src/image/garbage/collect-garbage.ts';
import { pruneImages } from '../../src/image/garbage/prune-images.ts';
import { type Removal, removeImage } from '../../src/image/garbage/remove-image.ts';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { openIndexStore } from '../../src/layer/index/index-store.ts';
import { chainIds } from '../../src/oci/chain-id.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { hostPlatform, parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { ImageUser } from '../../src/store/content-roots.ts';
import { build } from '../support/image/built-image.ts';
import { addImage } from '../support/image/busybox-image.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { addIndex } from '../support/image/stored-index.ts';
import type { TestHost } from '../support/image/test-host.ts';
import { withUsers } from '../support/image/test-host.ts';
import { unpackingHost } from '../support/image/unpacking-host.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const BASE = tarBytes([{ path: 'base', content: 'base' }]);
const ONE = tarBytes([{ path: 'one', content: 'one' }]);
const TWO = tarBytes([{ path: 'two', content: 'two' }]);

function lines(removals: readonly Removal[]): string[] {
  return removals.map((removal) =>
    removal.kind === 'untagged' ? `Untagged: ${removal.name}` : `Deleted: ${removal.digest}`,
  );
}

async function remove(host: TestHost, name: string, options: { force?: boolean; users?: ImageUser[] } = {}) {
  const engine = withUsers(host, ...(options.users ?? []));
  return lines(await removeImage(engine, host.call, name, { isForced: options.force }));
}

async function blobsOf(host: TestHost): Promise<Digest[]> {
  const found: Digest[] = [];
  for await (const { digest } of host.store.blobs.list()) found.push(digest);
  return found.sort();
}

async function snapshotsOf(host: TestHost): Promise<Digest[]> {
  const found: Digest[] = [];
  for await (const { key } of host.snapshotter.list()) found.push(key);
  return found.sort();
}

test('the last name takes the image with it, and all that no other image has', async () => {
  await using host = await unpackingHost();
  const one = await addImage(host.store, { reference: 'one', layers: [BASE, ONE] });
  const two = await addImage(host.store, { reference: 'two', layers: [BASE, TWO] });
  for (const name of ['one', 'two'])
    await unpackImage(host.engine, host.call, (await findImage(host.store, name))!);
  await tagImage(host.store, 'one', 'again');
  expect(await remove(host, 'again')).toEqual(['Untagged: again:latest']);
  expect(await snapshotsOf(host)).toHaveLength(3);
  const chain = chainIds(one.diffIds);
  expect(await remove(host, 'one')).toEqual([
    'Untagged: one:latest',
    `Deleted: ${one.id}`,
    `Deleted: ${chain[1]}`,
  ]);
  const left = [two.id, two.descriptor.digest, ...two.diffIds].sort();
  expect(await blobsOf(host)).toEqual(left);
  expect(await snapshotsOf(host)).toEqual([...two.diffIds].sort());
  const indexes: Digest[] = [];
  for await (const diffId of openIndexStore(host.store.paths.root).list()) indexes.push(diffId);
  expect(indexes.sort()).toEqual([...two.diffIds].sort());
  expect(await remove(host, two.id)).toHaveLength(4);
  expect([...(await blobsOf(host)), ...(await snapshotsOf(host))]).toEqual([]);
  await expect(remove(host, 'two')).rejects.toMatchObject({ code: 'not-found' });
});

test('names by digest go with the last tag of their repository', async () => {
  await using host = await temporaryHost();
  const { descriptor } = await addImage(host.store, { reference: 'me/app:1', layers: [BASE] });
  const byDigest = `me/app@${descriptor.digest}`;
  await host.store.refs.put(parseReference(byDigest), descriptor);
  await tagImage(host.store, 'me/app:1', 'me/app:2');
  expect(await remove(host, 'me/app:1')).toEqual(['Untagged: me/app:1']);
  expect((await remove(host, 'me/app:2')).slice(0, 2)).toEqual([
    'Untagged: me/app:2',
    `Untagged: ${byDigest}`,
  ]);
  expect(await blobsOf(host)).toEqual([]);
});

test('an ID stands for all names only within one repository, or where forced', async () => {
  await using host = await temporaryHost();
  const { id } = await addImage(host.store, { reference: 'app:1', layers: [BASE] });
  await tagImage(host.store, 'app:1', 'other:1');
  const short = id.slice(7, 19);
  await expect(remove(host, short)).rejects.toMatchObject({
    code: 'in-use',
    message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  });
  expect((await remove(host, short, { force: true })).slice(0, 3)).toEqual([
    'Untagged: app:1',
    'Untagged: other:1',
    `Deleted: ${id}`,
  ]);
});

test('containers hold their image: stopped ones until forced, running ones always', async () => {
  await using host = await temporaryHost();
  const { id } = await addImage(host.store, { reference: 'app', layers: [BASE] });
  const users = (isRunning: boolean) => [{ containerId: 'c'.repeat(64), imageId: id, isRunning }];
  const short = id.slice(7, 19);
  await expect(remove(host, 'app', { users: users(false) })).rejects.toMatchObject({
    code: 'in-use',
    message: `conflict: unable to remove repository reference "app:latest" (must force) - container cccccccccccc is using its referenced image ${short}`,
  });
  await expect(remove(host, short, { users: users(false) })).rejects.toMatchObject({
    message: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
  });
  await expect(remove(host, short, { users: users(true), force: true })).rejects.toMatchObject({
    message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
  });
  expect(await remove(host, 'app', { users: users(true), force: true })).toEqual(['Untagged: app:latest']);
  expect((await findImage(host.store, id))?.id).toBe(id);
  expect((await remove(host, id, { users: users(false), force: true }))[0]).toBe(`Deleted: ${id}`);
});

test('what a container or the build cache needs stays', async () => {
  await using host = await unpackingHost();
  const app = await addImage(host.store, { reference: 'app', layers: [BASE, ONE] });
  await unpackImage(host.engine, host.call, (await findImage(host.store, 'app'))!);
  const cached = await host.store.blobs.put(TWO);
  await host.store.refs.delete(parseReference('app:latest'));
  const roots = [
    async () => [{ manifests: [app.descriptor] }],
    async () => [{ stacks: [[cached.digest]], blobs: [digestOf('absent')] }],
  ];
  const kept = await collectGarbage(host.store, host.snapshotter, { roots });
  expect(kept).toMatchObject({ blobs: [], snapshots: [], freedBytes: 0 });
  const failing = async () => {
    throw new Error('a container cannot be read');
  };
  await expect(collectGarbage(host.store, host.snapshotter, { roots: [failing] })).rejects.toThrow(
    'a container cannot be read',
  );
  expect(await blobsOf(host)).toHaveLength(5);
  const gone = await collectGarbage(host.store, host.snapshotter, { roots: [] });
  expect(gone.blobs).toHaveLength(5);
  expect(gone.snapshots).toHaveLength(2);
  expect(gone.freedBytes).toBeGreaterThan(BASE.length + ONE.length + TWO.length);
});

test('compressed forms live as long as their layer', async () => {
  await using host = await temporaryHost();
  const { diffIds } = await addImage(host.store, { reference: 'app', layers: [BASE] });
  const form = await host.store.blobs.put('compressed');
  const descriptor = { mediaType: OCI_LAYER_GZIP, digest: form.digest, size: form.sizeBytes };
  await host.store.compressed.add(diffIds[0]!, descriptor, BASE.length);
  await collectGarbage(host.store, host.snapshotter, { roots: [] });
  expect(await host.store.blobs.stat(form.digest)).toBeDefined();
  await remove(host, 'app');
  expect(await host.store.blobs.stat(form.digest)).toBeUndefined();
  expect(await host.store.compressed.diffIds()).toEqual([]);
});

test('old downloads go, young downloads and what is under way stay', async () => {
  await using host = await temporaryHost();
  const { paths } = host.store;
  const partial = join(paths.root, 'partial');
  const underWay = `.tmp-${process.pid}-x`;
  for (const name of ['sha256-old', 'sha256-young', underWay]) writeFileSync(join(partial, name), 'x');
  writeFileSync(join(paths.run, 'locks/blob-sha256-old'), '');
  utimesSync(join(partial, 'sha256-old'), new Date(), new Date(Date.now() - 8 * 24 * 3600 * 1000));
  await collectGarbage(host.store, host.snapshotter, { roots: [] });
  expect(readdirSync(partial)).toEqual([underWay, 'sha256-young']);
  expect((await pruneImages(withUsers(host), host.call, {})).freedBytes).toBe(1);
  expect(readdirSync(partial)).toEqual([underWay]);
  expect(readdirSync(join(paths.run, 'locks')).filter((name) => name.startsWith('blob-'))).toEqual([]);
});

test('while somebody works with the store, a name goes and its content waits', async () => {
  await using host = await temporaryHost();
  const { id } = await addImage(host.store, { reference: 'app', layers: [BASE] });
  const lease = await host.store.leases.shared();
  expect(await remove(host, 'app')).toEqual(['Untagged: app:latest', `Deleted: ${id}`]);
  expect(await blobsOf(host)).toHaveLength(3);
  await lease.release();
  await pruneImages(withUsers(host), host.call, {});
  expect(await blobsOf(host)).toEqual([]);
});

test('a name of an index takes the images of all its platforms', async () => {
  await using host = await temporaryHost();
  const own = await addImage(host.store, { layers: [BASE] });
  const arm = await addImage(host.store, { layers: [ONE], platform: parsePlatform('arm64') });
  const index = await addIndex(host.store, [
    { descriptor: own.descriptor, platform: hostPlatform() },
    { descriptor: arm.descriptor, platform: parsePlatform('arm64') },
    {
      descriptor: { mediaType: OCI_MANIFEST, digest: digestOf('x'), size: 1 },
      platform: parsePlatform('arm/v7'),
    },
  ]);
  await host.store.refs.put(parseReference('many:1'), index);
  for (const { descriptor } of [own, arm]) await host.store.refs.deleteAnonymous(descriptor);
  expect((await remove(host, 'many:1')).filter((line) => line.startsWith('Deleted'))).toHaveLength(4);
  expect(await blobsOf(host)).toEqual([]);
});

test('prune takes what has no tag, or all that no container uses', async () => {
  await using host = await temporaryHost();
  const used = await addImage(host.store, { reference: 'used', layers: [BASE] });
  const tagged = await addImage(host.store, {
    reference: 'tagged',
    layers: [BASE, ONE],
    config: { Labels: { keep: 'yes' } },
  });
  const dangling = await addImage(host.store, { layers: [BASE, TWO] });
  const engine = withUsers(host, { containerId: 'c', imageId: used.id, isRunning: false });
  const first = await pruneImages(engine, host.call, {});
  expect(lines(first.removals)).toEqual([`Deleted: ${dangling.id}`]);
  expect(first.freedBytes).toBeGreaterThan(TWO.length);
  const filters = { labels: [{ text: 'keep', isNegated: true }], references: [], before: [], since: [] };
  expect((await pruneImages(engine, host.call, { isAll: true, filters })).removals).toEqual([]);
  const all = await pruneImages(engine, host.call, { isAll: true });
  expect(lines(all.removals)).toEqual(['Untagged: tagged:latest', `Deleted: ${tagged.id}`]);
  expect((await findImage(host.store, 'used'))?.id).toBe(used.id);
});

test('an index that lies about another image’s manifest does not take that image’s content along', async () => {
  await using host = await temporaryHost();
  const victim = await build(host, 'victim:1', [ONE]);
  const { digest, size } = victim.manifestDescriptor;
  const own = await build(host, 'own:1', [TWO]);
  const lies = [
    { mediaType: OCI_INDEX, digest, size },
    { mediaType: OCI_MANIFEST, digest, size: size + 1 },
    { mediaType: 'text/plain', digest, size },
  ];
  for (const [position, lie] of lies.entries()) {
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [own.manifestDescriptor, lie] };
    const { digest: named, sizeBytes } = await host.store.blobs.put(JSON.stringify(index));
    const root = { mediaType: OCI_INDEX, digest: named, size: sizeBytes };
    await host.store.refs.put(parseReference(`a-liar:${position}`), root);
  }
  await collectGarbage(host.store, host.snapshotter, { roots: [] });
  expect(await blobsOf(host)).toContain(digestOf(ONE));
});

test('an index that lists the same index over and over is read once', async () => {
  await using host = await temporaryHost();
  let below = (await build(host, 'one:1', [ONE])).manifestDescriptor;
  for (let depth = 0; depth < 3; depth++) {
    const manifests = Array.from({ length: 1000 }, () => below);
    const content = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
    const { digest, sizeBytes } = await host.store.blobs.put(content);
    below = { mediaType: OCI_INDEX, digest, size: sizeBytes };
  }
  expect(await presentManifests(host.store, below)).toHaveLength(1);
});
