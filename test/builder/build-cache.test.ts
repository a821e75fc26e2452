import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type BuildCache,
  buildCacheContent,
  openBuildCache,
  type StepRecord,
} from '../../src/builder/solve/build-cache.ts';
import { digestHex, digestOf } from '../../src/oci/digest.ts';

async function tempCache(): Promise<{ cache: BuildCache; root: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'ocits-build-cache-'));
  return {
    cache: openBuildCache(root),
    root,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

const record = (name: string): StepRecord => ({
  key: digestOf(`key ${name}`),
  createdAt: '2024-05-06T07:08:09Z',
  label: `RUN ${name}`,
  platform: 'linux/amd64',
  inputs: [digestOf('below')],
  diffIds: [digestOf('below'), digestOf(name)],
  layer: { diffId: digestOf(name), sizeBytes: 10 },
});

describe('the build cache', () => {
  it('gives back what was put, to another process too, and no temporary file stays', async () => {
    await using temp = await tempCache();
    await temp.cache.put(record('a'));
    expect(await openBuildCache(temp.root).get(record('a').key)).toEqual(record('a'));
    expect(await temp.cache.get(record('b').key)).toBeUndefined();
    expect(await readdir(join(temp.root, 'build-cache/steps'))).toHaveLength(1);
  });

  it('takes a damaged, foreign or lying record for a miss', async () => {
    await using temp = await tempCache();
    const { key } = record('a');
    await temp.cache.put(record('a'));
    const path = join(temp.root, 'build-cache/steps', `${digestHex(key)}.json`);
    const lies = [
      '',
      '{"version":1',
      JSON.stringify({ version: 2, ...record('a') }),
      JSON.stringify({ version: 1, ...record('b') }),
      JSON.stringify({ version: 1, ...record('a'), layer: { diffId: 'sha256:../../etc', sizeBytes: 1 } }),
      JSON.stringify({ version: 1, ...record('a'), diffIds: ['x'] }),
      JSON.stringify({ version: 1, ...record('a'), layer: undefined }),
    ];
    for (const text of lies) {
      await writeFile(path, text);
      expect(await temp.cache.get(key), text).toBeUndefined();
    }
  });

  it('lists its records with the time of their last use, and their layers as what must stay', async () => {
    await using temp = await tempCache();
    await temp.cache.put(record('a'));
    await temp.cache.put(record('b'));
    const entries = await Array.fromAsync(temp.cache.list());
    expect(entries.map((entry) => entry.record.label).toSorted()).toEqual(['RUN a', 'RUN b']);
    expect(Math.abs(Date.now() - entries[0]!.lastUsedAt.getTime())).toBeLessThan(60_000);
    const content = await buildCacheContent(temp.cache);
    expect(content.flatMap(({ stacks }) => stacks).toSorted()).toEqual(
      [[digestOf('a')], [digestOf('b')]].toSorted(),
    );
  });

  it('forgets what is deleted', async () => {
    await using temp = await tempCache();
    await temp.cache.put(record('a'));
    await temp.cache.delete(record('a').key);
    await temp.cache.delete(record('a').key);
    expect(await temp.cache.get(record('a').key)).toBeUndefined();
  });

  it('remembers the parts of a project’s steps', async () => {
    await using temp = await tempCache();
    const project = digestOf('project');
    expect(await temp.cache.projectParts(project)).toEqual({});
    await temp.cache.putProjectParts(project, { '0/1': { command: 'abc' } });
    expect(await temp.cache.projectParts(project)).toEqual({ '0/1': { command: 'abc' } });
  });
});
