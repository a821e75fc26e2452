import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyBetween } from '../../src/image/archive/copy-between.ts';
import { parsePlace } from '../../src/image/archive/image-place.ts';
import { loadImages } from '../../src/image/archive/load-images.ts';
import { saveImages } from '../../src/image/archive/save-images.ts';
import { findImage } from '../../src/image/catalog/find-image.ts';
import type { Manifest } from '../../src/oci/manifest.ts';
import { formatPlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { runTool } from '../../src/system/process/spawn.ts';
import { addImage } from '../support/image/busybox-image.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { withRegistry } from '../support/image/test-host.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';
import { runOcits } from '../support/program/run-ocits.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { elsewhere, here, one, pullWorld, three, two } from '../support/registry/pull-world.ts';
import { startRegistry } from '../support/registry/registry.ts';
import {
  addToFake,
  imageOf,
  indexOf,
  type RemoteImage,
  uploadImage,
} from '../support/registry/remote-image.ts';

const own = imageOf({ layers: [one, two], platform: here });
const other = imageOf({ layers: [one, three], platform: elsewhere });
const both = indexOf([own, other]);

async function world() {
  const made = await pullWorld();
  const engine = withRegistry(made.host, made.registry);
  return {
    ...made,
    copy: async (from: string, to: string, platform?: typeof here) => {
      const request = { from: parsePlace(from), to: parsePlace(to), platform };
      return (await copyBetween(engine, made.host.call, request)).map(({ digest }) => digest);
    },
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  };
}

const contentOf = ({ manifests }: RemoteImage) => manifests.at(-1)!.content;
const configOf = (image: RemoteImage): string =>
  (JSON.parse(contentOf(image).toString()) as Manifest).config.digest;
const blobsOf = (folder: string) => readdirSync(join(folder, 'blobs/sha256'));

test('all platforms go from place to place as they are, and the store gets nothing', async () => {
  await using server = await startRegistry();
  await using w = await world();
  await uploadImage(server.url, 'a/b', '1', both);
  const at = (name: string) => join(w.host.folder, name);
  const digest = both.descriptor.digest;
  expect(await w.copy(`${server.host}/a/b:1`, `oci:${at('layout')}`)).toEqual([digest]);
  // Two images with a config each, three layers and an index.
  expect(blobsOf(at('layout'))).toHaveLength(8);
  expect(await w.copy(`oci:${at('layout')}`, `oci-archive:${at('one.tar')}`)).toEqual([digest]);
  expect(await w.copy(`oci-archive:${at('one.tar')}`, `oci-archive:${at('two.tar')}`)).toEqual([digest]);
  expect(await w.copy(`oci-archive:${at('two.tar')}`, `${server.host}/c/d:2`)).toEqual([digest]);
  expect(readdirSync(join(w.host.store.paths.root, 'blobs/sha256'))).toEqual([]);
  expect(await w.names()).toBe(0);
  const copied = `docker://${server.host}/c/d:2`;
  await runTool('skopeo', ['copy', '--all', '--src-tls-verify=false', copied, `dir:${at('all')}`]);
  const { stdout } = await runTool('skopeo', ['inspect', '--raw', `oci-archive:${at('two.tar')}`]);
  expect(stdout.toString()).toBe(contentOf(both).toString());
});

test('one platform goes without the index, which would be incomplete', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await world();
  addToFake(fake, '1', both);
  const layout = join(w.host.folder, 'layout');
  const wanted = other.descriptor.digest;
  expect(await w.copy(`${fake.host}/a/b:1`, `oci:${layout}`, elsewhere)).toEqual([wanted]);
  expect(blobsOf(layout)).toHaveLength(4);
  expect(await w.copy(`${fake.host}/a/b:1`, `${fake.host}/c/d:2`, elsewhere)).toEqual([wanted]);
  expect(fake.manifests.get('2')!.content.equals(contentOf(other))).toBe(true);
  await expect(
    w.copy(`${fake.host}/a/b@${own.descriptor.digest}`, `oci:${layout}`, elsewhere),
  ).rejects.toMatchObject({ code: 'wrong-platform' });
});

test('what an index lists besides images comes along', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await world();
  const statement = fake.addBlob(Buffer.from('{"_type":"statement"}'), 'application/vnd.in-toto+json');
  const empty = fake.addBlob(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
  const attestation = fake.addManifest(undefined, { schemaVersion: 2, config: empty, layers: [statement] });
  addToFake(fake, undefined, own);
  const manifests = [
    { ...own.descriptor, platform: here },
    { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
  ];
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = fake.addManifest('1', { schemaVersion: 2, mediaType, manifests }, mediaType);
  const layout = join(w.host.folder, 'layout');
  expect(await w.copy(`${fake.host}/a/b:1`, `oci:${layout}`)).toEqual([index.digest]);
  await using to = await FakeRegistry.start();
  expect(await w.copy(`oci:${layout}`, `${to.host}/a/b:1`)).toEqual([index.digest]);
  expect(to.blobs.has(statement.digest)).toBe(true);
  expect(to.manifests.has(attestation.digest)).toBe(true);
  expect(await w.copy(`${fake.host}/a/b:1`, `oci:${layout}`, here)).toEqual([own.descriptor.digest]);
});

test('within one registry blobs are mounted, and none is read', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await world();
  addToFake(fake, '1', both);
  // All its repositories have the same content: what is asked for is said to be missing.
  fake.on('HEAD', /c\/d\/blobs/, ({ response }) => void response.writeHead(404).end());
  await w.copy(`${fake.host}/a/b:1`, `${fake.host}/c/d:2`);
  const read = fake.seen('GET', /blobs/).map(({ path }) => path.replace(/.*blobs\//, ''));
  expect(read.sort()).toEqual([configOf(own), configOf(other)].sort());
  expect(fake.seen('POST', /mount=.*from=a%2Fb/).length).toBeGreaterThanOrEqual(3);
});

test('a docker archive gets the image of this host, and comes back as the same one', async () => {
  await using server = await startRegistry();
  await using w = await world();
  await uploadImage(server.url, 'a/b', '1', indexOf([other, imageOf({ layers: [one], platform: here })]));
  const path = join(w.host.folder, 'docker.tar');
  await w.copy(`${server.host}/a/b:1`, `docker-archive:${path}`);
  await using to = await temporaryHost();
  const [loaded] = await loadImages(to.engine, to.call, { path });
  expect(loaded!.names).toEqual([parseReference(`${server.host}/a/b:1`)]);
  await w.copy(`docker-archive:${path}`, `${server.host}/c/d`);
  expect((await w.pull(`${server.host}/c/d:latest`)).image.id).toBe(loaded!.ids[0]);
  await runTool('skopeo', ['copy', `docker-archive:${path}`, `dir:${join(w.host.folder, 'dir')}`]);
});

test('several images go from file to file, and not into one name of a registry', async () => {
  await using w = await world();
  const { host } = w;
  for (const reference of ['first:1', 'second:1']) {
    await addImage(host.store, { reference, layers: [tarBytes([{ path: reference, content: reference }])] });
  }
  const at = (name: string) => join(host.folder, name);
  const output = at('saved.tar');
  await saveImages(host.engine, host.call, ['first:1', 'second:1'], { format: 'docker-archive', output });
  expect(await w.copy(`docker-archive:${output}`, `oci:${at('layout')}`)).toHaveLength(2);
  await using to = await temporaryHost();
  await loadImages(to.engine, to.call, { path: at('layout') });
  for (const name of ['first:1', 'second:1']) {
    expect((await findImage(to.store, name))?.id).toBe((await findImage(host.store, name))!.id);
  }
  await expect(w.copy(`oci:${at('layout')}`, 'localhost:1/a/b')).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('2 images'),
  });
});

test('what is not there, or is something else', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await world();
  addToFake(fake, '1', both);
  const at = (name: string) => join(w.host.folder, name);
  fake.manifests.delete(other.descriptor.digest);
  await expect(w.copy(`${fake.host}/a/b:1`, `oci-archive:${at('x.tar')}`)).rejects.toMatchObject({
    code: 'not-found',
  });
  await expect(w.copy(`oci:${at('nothing')}`, `oci:${at('out')}`)).rejects.toMatchObject({
    code: 'not-found',
  });
  await mkdir(at('empty'));
  await expect(w.copy(`oci:${at('empty')}`, `oci:${at('out')}`)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('is not an OCI layout'),
  });
  await writeFile(at('text'), 'text '.repeat(1000));
  await expect(w.copy(`docker-archive:${at('text')}`, `oci:${at('out')}`)).rejects.toThrow();
  // Nothing of an archive that failed is left.
  expect(readdirSync(w.host.folder).filter((name) => name.includes('x.tar'))).toEqual([]);
});

test.each([
  ['oci:/a/b', { kind: 'oci', path: '/a/b' }],
  ['oci-archive:a:b.tar', { kind: 'oci-archive', path: 'a:b.tar' }],
  ['docker-archive:a.tar', { kind: 'docker-archive', path: 'a.tar' }],
  ['a/b', { kind: 'registry', reference: parseReference('a/b:latest') }],
  ['oci', { kind: 'registry', reference: parseReference('oci:latest') }],
  ['localhost:5000/a/b:1', { kind: 'registry', reference: parseReference('localhost:5000/a/b:1') }],
])('the place %s', (text, place) => {
  expect(parsePlace(text)).toEqual(place);
});

test('a place that is none says what to write', () => {
  expect(() => parsePlace('docker://a/b:1')).toThrow(
    expect.objectContaining({ code: 'invalid-reference', hint: 'leave docker:// out: a/b:1' }),
  );
  expect(() => parsePlace('oci:')).toThrow(expect.objectContaining({ hint: 'it is oci:FOLDER' }));
});

test('the command prints the digest', async () => {
  await using fake = await FakeRegistry.start();
  await using host = await temporaryHost();
  addToFake(fake, '1', both);
  const layout = `oci:${join(host.folder, 'layout')}`;
  const all = await runOcits(host.folder, ['copy', `${fake.host}/a/b:1`, layout]);
  expect(all).toMatchObject({ code: 0, stdout: `${both.descriptor.digest}\n` });
  expect(all.stderr).toContain('Download complete');
  const platform = formatPlatform(elsewhere);
  const picked = await runOcits(host.folder, [
    'copy',
    '-q',
    '--platform',
    platform,
    layout,
    `${fake.host}/c/d`,
  ]);
  expect(picked).toMatchObject({ code: 0, stdout: `${other.descriptor.digest}\n`, stderr: '' });
});
