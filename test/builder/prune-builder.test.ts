import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pruneBuilder } from '../../src/builder/prune-builder.ts';
import { openBuildCache } from '../../src/builder/solve/build-cache.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { buildHost } from '../support/builder/build-host.ts';

const OLD = 'FROM busybox\nRUN echo old > /f\n';
const NEW = 'FROM busybox\nRUN echo new > /f\n';

describe('builder prune', () => {
  it('forgets what no image has, and deletes its layers; images stay whole', async () => {
    await using made = await buildHost();
    const old = await made.build(OLD, { tags: ['x'] });
    const kept = await made.build(NEW, { tags: ['x'] });
    await made.store.refs.deleteAnonymous(old.manifestDescriptor);
    const { records, freedBytes } = await pruneBuilder(made.engine, made.call, { isAll: false });
    expect(records.map(({ label }) => label)).toEqual(['[2/2] RUN echo old > /f']);
    expect(freedBytes).toBeGreaterThan(0);
    const { blobs } = made.store;
    expect(await blobs.stat(old.config.rootfs.diff_ids[1]!)).toBeUndefined();
    expect(await blobs.stat(kept.config.rootfs.diff_ids[1]!)).toBeDefined();
    await made.build(NEW);
    expect(made.outcomes()).toHaveProperty('[2/2] RUN echo new > /f', 'cached');
  });

  it('with all forgets everything, but no layer of an image', async () => {
    await using made = await buildHost();
    const image = await made.build(NEW, { tags: ['x'] });
    await made.build('FROM busybox\nRUN --mount=type=cache,target=/c touch /c/file\n');
    const { records } = await pruneBuilder(made.engine, made.call, { isAll: true });
    expect(records).toHaveLength(2);
    expect(await made.store.blobs.stat(image.config.rootfs.diff_ids[1]!)).toBeDefined();
    await made.build('FROM busybox\nRUN --mount=type=cache,target=/c ls /c\n');
    expect(made.output()).toBe('');
  });

  it('leaves what was used lately', async () => {
    await using made = await buildHost();
    await made.build(OLD);
    await made.build(NEW);
    const cache = openBuildCache(made.store.paths.root);
    for await (const { record } of cache.list()) {
      if (!record.label.includes('old')) continue;
      const path = join(made.store.paths.root, 'build-cache/steps', `${digestHex(record.key)}.json`);
      await utimes(path, 1, 1);
    }
    const unusedSince = new Date(Date.now() - 60_000);
    const options = { isAll: true, unusedSince };
    const { records } = await pruneBuilder(made.engine, made.call, options);
    expect(records.map(({ label }) => label)).toEqual(['[2/2] RUN echo old > /f']);
  });
});
