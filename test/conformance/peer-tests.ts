import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type SnapshotterFactory,
  type TemporarySnapshotter,
  temporarySnapshotter,
} from '../support/image/temporary-snapshotter.ts';
import { unpackByUmoci } from '../support/image/umoci.ts';
import { mountTree } from '../support/layer/mount-tree.ts';
import { randomStack } from '../support/layer/random-layers.ts';

/** Seeds that once showed a fault, and some more. `SEEDS=from-to` tries others. */
const FAULTY = [4, 22, 141, 143, 165, 179, 180, 199, 244, 439, 471, 621, 689, 803, 947, 993, 999];
const SEEDS = [...FAULTY, ...range(process.env['SEEDS'] ?? '2000-2009')];

/** Random stacks against umoci: the same tree, or a refusal by both. */
export function peerTests(factory: SnapshotterFactory): void {
  test('random stacks give the tree that umoci makes of them', { timeout: 600_000 }, async () => {
    for (const seed of SEEDS) {
      await using host = await temporarySnapshotter(factory);
      const stack = randomStack(seed);
      const tars = stack.map(({ tar }) => tar);
      const words = `seed ${seed}: ${stack.map((layer) => layer.words.join(', ')).join(' || ')}`;
      expect(await treeOf(host, tars), words).toEqual(umociTree(host, tars));
    }
  });
}

async function treeOf(host: TemporarySnapshotter, tars: readonly Buffer[]) {
  try {
    const { keys } = await host.stack(tars);
    await using mounted = await mountTree(await host.snapshotter.view(keys));
    return list(mounted.root);
  } catch (error) {
    return refusal(error);
  }
}

function umociTree(host: TemporarySnapshotter, tars: readonly Buffer[]) {
  const folder = host.name();
  mkdirSync(folder);
  try {
    return list(unpackByUmoci(folder, tars));
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): string {
  const { code, status } = error as { code?: string; status?: number };
  // Both a refusal on purpose, not a crash of the test.
  if (code !== 'corrupt' && code !== 'hostile' && status !== 1) throw error;
  return 'refused';
}

/**
 * What both must agree on. Times of folders that no layer lists are each one's own; a hard link to a layer below is
 * shared by fewer names in an overlay; and overlayfs lists, but does not find, a whiteout below which there is nothing.
 */
function list(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string) => {
    const full = `${root}/${path}`;
    const stat = lstatSync(full, { throwIfNoEntry: false, bigint: true });
    if (stat === undefined) return;
    const owner = `${(Number(stat.mode) & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isDirectory()) {
      if (path !== '') found[path] = `folder ${owner}`;
      for (const name of readdirSync(full).sort()) visit(path === '' ? name : `${path}/${name}`);
    } else {
      const content = stat.isSymbolicLink() ? readlinkSync(full) : readFileSync(full, 'utf8');
      found[path] = `${stat.isSymbolicLink() ? 'symlink' : 'file'} ${owner} ${stat.mtimeNs} ${content}`;
    }
  };
  visit('');
  return found;
}

function range(text: string): number[] {
  const [from, to] = text.split('-').map(Number) as [number, number];
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
