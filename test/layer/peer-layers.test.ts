import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { LayerSource } from '../../src/layer/layer-change.ts';
import { readLayer } from '../../src/layer/tar/read-layer.ts';
import { type Recorded, recorder } from '../support/layer/record-layer.ts';
import { makeTree, SAMPLE_TREE } from '../support/layer/sample-tree.ts';

const temporary = mkdtempDisposableSync(join(tmpdir(), 'ocits-peers-'));
afterAll(() => temporary.remove());

const oci = (name: string) => join(temporary.path, name);
const blob = (layout: string, digest: string) => join(layout, 'blobs', digest.replace(':', '/'));
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** Two layers that umoci made: the sample tree, and one that removes some of it. */
function makeByUmoci(): string {
  const layout = oci('umoci');
  const bundle = oci('bundle');
  const umoci = (...args: string[]) => execFileSync('umoci', args, { stdio: 'pipe' });
  umoci('init', '--layout', layout);
  umoci('new', '--image', `${layout}:latest`);
  umoci('unpack', '--image', `${layout}:latest`, bundle);
  makeTree(join(bundle, 'rootfs'));
  umoci('repack', '--refresh-bundle', '--image', `${layout}:latest`, bundle);
  execFileSync('rm', ['-r', join(bundle, 'rootfs/owner'), join(bundle, 'rootfs/folder/zeros')]);
  mkdirSync(join(bundle, 'rootfs/many'));
  for (let i = 0; i < 40; i++) writeFileSync(join(bundle, `rootfs/many/${i}`), `content ${i}\n`.repeat(2000));
  umoci('repack', '--image', `${layout}:latest`, bundle);
  return layout;
}

/** The layers of a layout's only image, and the diffIDs that its config has for them. */
function layersOf(layout: string): { source: LayerSource; diffId: string }[] {
  const manifest = json(blob(layout, json(join(layout, 'index.json')).manifests[0].digest));
  const { diff_ids: diffIds } = json(blob(layout, manifest.config.digest)).rootfs;
  return manifest.layers.map(({ digest, mediaType }: { digest: string; mediaType: string }, i: number) => {
    const path = blob(layout, digest);
    const compression = mediaType.endsWith('zstd') ? 'zstd' : mediaType.endsWith('gzip') ? 'gzip' : 'none';
    return { source: { path, compression, sizeBytes: statSync(path).size }, diffId: diffIds[i] };
  });
}

async function readAll(layout: string): Promise<Recorded[][]> {
  const all: Recorded[][] = [];
  for (const { source, diffId } of layersOf(layout)) {
    const visitor = recorder();
    expect((await readLayer(source, visitor)).diffId).toBe(diffId);
    all.push(visitor.recorded);
  }
  return all;
}

test('layers of umoci, and what skopeo makes of them', async () => {
  const layout = makeByUmoci();
  const [first, second] = await readAll(layout);
  const paths = new Map(first!.map(({ change, content }) => [change.path, { change, content }]));
  expect([...paths.keys()].filter((path) => path !== '').sort()).toEqual(
    SAMPLE_TREE.map(({ entry }) => entry.path),
  );
  for (const { entry, content } of SAMPLE_TREE) {
    const found = paths.get(entry.path)!;
    const { path, type, mode, uid, gid, mtime } = entry;
    if (type === 'hardlink') continue;
    // umoci rounds to whole seconds.
    expect(found.change).toMatchObject({ path, type, mode, uid, gid });
    expect(Math.abs((found.change as typeof entry).mtime.seconds - mtime.seconds)).toBeLessThanOrEqual(1);
    if (content !== undefined) expect(found.content!.equals(content)).toBe(true);
    expect([...((found.change as typeof entry).xattrs ?? [])].sort()).toEqual(
      [...(entry.xattrs ?? [])].sort(),
    );
  }
  const removed = second!.filter(({ change }) => change.type === 'whiteout').map(({ change }) => change.path);
  expect(removed.sort()).toEqual(['folder/zeros', 'owner']);
  for (const format of ['zstd', 'zstd:chunked']) {
    const copy = oci(format.replace(':', '-'));
    execFileSync('skopeo', [
      'copy',
      '-q',
      '--dest-compress-format',
      format,
      `oci:${layout}:latest`,
      `oci:${copy}:latest`,
    ]);
    expect(layersOf(copy)[1]!.source.compression).toBe('zstd');
    expect((await readAll(copy)).map((layer) => layer.map(({ change }) => change.path))).toEqual(
      [first!, second!].map((layer) => layer.map(({ change }) => change.path)),
    );
  }
});
