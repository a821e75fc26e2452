import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baseImages } from '../../scripts/images/base-images.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { layerCompression } from '../../src/oci/media-types.ts';
import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import type { SnapshotKey } from '../../src/snapshotter/snapshotter.ts';
import { temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import { listTree } from '../support/layer/list-tree.ts';
import { mountTree } from '../support/layer/mount-tree.ts';

/** The manifest of a layout's only image, which may lie below an index. */
function manifestOf(layout: string): Descriptor {
  const [first] = readJson<{ manifests: Descriptor[] }>(join(layout, 'index.json')).manifests;
  const below = readJson<{ manifests?: Descriptor[] }>(blob(layout, first!.digest)).manifests;
  return below?.[0] ?? first!;
}

function blob(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'));
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** umoci takes no index below the layout's own. */
function unpackByUmoci(folder: string, layout: string): string {
  const { mediaType, digest, size } = manifestOf(layout);
  mkdirSync(folder);
  symlinkSync(join(layout, 'blobs'), join(folder, 'blobs'));
  copyFileSync(join(layout, 'oci-layout'), join(folder, 'oci-layout'));
  const annotations = { 'org.opencontainers.image.ref.name': 'image' };
  const manifests = [{ mediaType, digest, size, annotations }];
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  execFileSync('umoci', ['unpack', '--image', `${folder}:image`, join(folder, 'bundle')], { stdio: 'pipe' });
  return join(folder, 'bundle/rootfs');
}

test.each(['debian', 'node'] as const)('%s: the same tree as umoci unpacks, entry by entry', async (name) => {
  await using temporary = await temporarySnapshotter((paths) => createOverlaySnapshotter(paths));
  const layout = baseImages([name])[name];
  const manifest = readJson<{ config: Descriptor; layers: Descriptor[] }>(
    blob(layout, manifestOf(layout).digest),
  );
  const diffIds = readJson<{ rootfs: { diff_ids: Digest[] } }>(blob(layout, manifest.config.digest)).rootfs
    .diff_ids;
  const keys: Promise<SnapshotKey>[] = [];
  for (const [position, layer] of manifest.layers.entries()) {
    const source = {
      path: blob(layout, layer.digest),
      compression: layerCompression(layer.mediaType)!,
      sizeBytes: layer.size,
    };
    keys.push(
      temporary.snapshotter.apply({ parents: [...keys], diffIds: diffIds.slice(0, position + 1), source }),
    );
  }
  await using mounted = await mountTree(await temporary.snapshotter.view(await Promise.all(keys)));
  const found = await listTree(mounted.root);
  const expected = await listTree(unpackByUmoci(temporary.name(), layout));
  expect(Object.keys(found).length).toBeGreaterThan(3000);
  expect(found).toEqual(expected);
});
