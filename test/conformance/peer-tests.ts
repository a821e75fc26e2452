import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type SnapshotterFactory,
  type TemporarySnapshotter,
  temporarySnapshotter,
} from '../support/image/temporary-snapshotter.ts';
import { unpackByUmoci } from '../support/image/umoci.ts';
import { mountTree } from '../support/layer/mount-tree.ts';
import { randomStack, type Stack, stackTars } from '../support/layer/random-layers.ts';
import { RANDOM_CASES } from '../support/program/random-cases.ts';

/** Stacks that once showed a fault; their tars are made as those of random ones are. */
const FAULTY = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../testdata/layer/faulty-stacks.json'), 'utf8'),
) as readonly Stack[];

/** Random stacks against umoci: the same tree, or a refusal by both. */
export function peerTests(factory: SnapshotterFactory): void {
  const agree = async (stack: Stack) => {
    await using temporary = await temporarySnapshotter(factory);
    const tars = stackTars(stack);
    expect(await treeOf(temporary, tars)).toEqual(umociTree(temporary, tars));
  };

  test.each(FAULTY.map((stack, number) => [number, stack] as const))(
    'the stack %i that once showed a fault gives the tree that umoci makes of it',
    async (_number, stack) => {
      await agree(stack);
    },
  );

  test('random stacks give the tree that umoci makes of them', { timeout: 600_000 }, async () => {
    await fc.assert(fc.asyncProperty(randomStack, agree), { ...RANDOM_CASES, numRuns: 10 });
  });
}

async function treeOf(temporary: TemporarySnapshotter, tars: readonly Buffer[]) {
  try {
    const { keys } = await temporary.stack(tars);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    return list(mounted.root);
  } catch (error) {
    return refusal(error);
  }
}

function umociTree(temporary: TemporarySnapshotter, tars: readonly Buffer[]) {
  const folder = temporary.name();
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
