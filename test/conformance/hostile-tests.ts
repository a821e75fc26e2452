import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isOcitsError, type OcitsError } from '../../src/errors.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OUTSIDE } from '../support/hostile/hostile-names.ts';
import { HOSTILE_TARS, type HostileTar } from '../support/hostile/hostile-tars.ts';
import {
  type SnapshotterFactory,
  type TemporarySnapshotter,
  temporarySnapshotter,
} from '../support/image/temporary-snapshotter.ts';
import { listTree } from '../support/layer/list-tree.ts';
import { mountTree } from '../support/layer/mount-tree.ts';

/** Limits are the reader's own affair; here the defaults hold. */
const CORPUS = HOSTILE_TARS.filter(({ limits }) => limits === undefined);

/** The corpus of hostile layers: nothing outside is touched, and what is refused leaves nothing behind. */
export function hostileTests(factory: SnapshotterFactory): void {
  let temporary: TemporarySnapshotter;
  beforeAll(async () => {
    temporary = await temporarySnapshotter(factory);
    rmSync(OUTSIDE, { recursive: true, force: true });
    mkdirSync(OUTSIDE, { mode: 0o711 });
    writeFileSync(join(OUTSIDE, 'file'), 'untouched');
    // Makes what is there from the first use on.
    await apply(temporary, { name: '', bytes: () => Buffer.alloc(1024), reader: 'ok' });
  });
  afterAll(async () => {
    rmSync(OUTSIDE, { recursive: true });
    await temporary[Symbol.asyncDispose]();
  });

  test.each(CORPUS)('$name stays inside', async (hostile) => {
    const outside = look();
    const before = await content(temporary);
    const outcome = await apply(temporary, hostile);
    expect(look()).toEqual(outside);
    if (hostile.reader !== 'ok') expect(outcome).toMatchObject({ code: hostile.reader });
    if (typeof outcome !== 'string') {
      expect(await content(temporary)).toEqual(before);
      return;
    }
    await using mounted = await mountTree(await temporary.snapshotter.view([outcome]));
    await listTree(mounted.root);
    await temporary.snapshotter.remove(outcome);
  });
}

/** All that a change outside would change, its time of change too. */
function look(): readonly unknown[] {
  return ['', ...readdirSync(OUTSIDE)].map((name) => {
    const { mode, uid, gid, nlink, size, mtimeNs, ctimeNs, ino } = lstatSync(join(OUTSIDE, name), {
      bigint: true,
    });
    return { name, mode, uid, gid, nlink, size, mtimeNs, ctimeNs, ino };
  });
}

/** Everything in the snapshots' folder by name. */
async function content({ snapshotter, paths }: TemporarySnapshotter): Promise<readonly string[]> {
  expect(await Array.fromAsync(snapshotter.list())).toHaveLength(1);
  return readdirSync(join(paths.root, 'snapshots'), { recursive: true, encoding: 'utf8' }).sort();
}

/** The key, or the error, which must be one that is thrown on purpose. */
async function apply(
  { snapshotter, source }: TemporarySnapshotter,
  { bytes, compression = 'none' }: HostileTar,
): Promise<Digest | OcitsError> {
  const tar = bytes();
  try {
    const diffIds = [diffIdOf(tar, compression)];
    return await snapshotter.apply({ parents: [], diffIds, source: { ...source(tar), compression } });
  } catch (error) {
    if (isOcitsError(error)) return error;
    throw error;
  }
}

function diffIdOf(bytes: Buffer, compression: string): Digest {
  try {
    if (compression === 'gzip') return digestOf(gunzipSync(bytes));
    if (compression === 'zstd') return digestOf(zstdDecompressSync(bytes));
  } catch {
    // Damaged on purpose: there is no diffID that would be right.
  }
  return digestOf(bytes);
}
