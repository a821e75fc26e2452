import { describe, expect, test } from 'vitest';
import { imageTreeTable } from '../../../src/commands/image/image-tree-table.ts';
import { parseImageFilters } from '../../../src/image/catalog/filter-images.ts';
import { imageTrees, type PlatformTree } from '../../../src/image/catalog/image-trees.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { formatPlatform, hostPlatform, type Platform } from '../../../src/oci/platform.ts';
import { familiarName, parseReference } from '../../../src/oci/reference.ts';
import { addImage } from '../../support/image/busybox-image.ts';
import { temporaryHost } from '../../support/image/image-host.ts';
import { addIndex } from '../../support/image/stored-index.ts';
import { withUsers } from '../../support/image/test-host.ts';
import { tarBytes } from '../../support/layer/tar-bytes.ts';

const LAYER = tarBytes([{ path: 'a', content: 'x'.repeat(3000) }]);
const RISCV: Platform = { os: 'linux', architecture: 'riscv64' };
const S390X: Platform = { os: 'linux', architecture: 's390x' };

async function indexWorld() {
  const host = await temporaryHost();
  const { store } = host;
  const own = await addImage(store, { layers: [LAYER] });
  const other = await addImage(store, { layers: [LAYER], platform: RISCV });
  const absent = `sha256:${'f'.repeat(64)}` as Digest;
  const missing = { ...own.descriptor, digest: absent };
  const root = await addIndex(store, [
    { descriptor: missing, platform: S390X },
    { descriptor: other.descriptor, platform: RISCV },
    { descriptor: own.descriptor, platform: hostPlatform() },
  ]);
  for (const image of [own, other]) await store.refs.deleteAnonymous(image.descriptor);
  for (const name of ['multi:2', 'multi:1']) await store.refs.put(parseReference(name), root);
  const single = await addImage(store, { reference: 'single', layers: [LAYER], config: { User: 'x' } });
  const bare = await addImage(store, { layers: [LAYER], config: { User: 'y' } });
  return { host, own, other, absent, single, bare };
}

test('an image is one tree with all its names and platforms, here or not', async () => {
  const { host, own, other, absent, single, bare } = await indexWorld();
  await using _host = host;
  const user = { containerId: 'c', imageId: other.id, isRunning: false };
  const trees = await imageTrees(withUsers(host, user), host.call);
  expect(trees.map(({ tags, id }) => [tags.map(familiarName).join(), id])).toEqual([
    ['multi:1,multi:2', own.id],
    ['single:latest', single.id],
    ['', bare.id],
  ]);
  const [multi, one] = trees;
  expect(multi!.branches).toMatchObject([
    { id: absent, platform: S390X, isPresent: false, sizeBytes: 0, contentBytes: 0, isUsed: false },
    { id: other.id, platform: RISCV, isPresent: true, sizeBytes: 3000, isUsed: true },
    { id: own.id, isPresent: true, sizeBytes: 3000, isUsed: false },
  ]);
  expect(multi).toMatchObject({ sizeBytes: 6000, isUsed: true });
  expect(one).toMatchObject({ sizeBytes: 3000, isUsed: false, branches: [{ id: single.id }] });
  // Its layer, its manifest and its config.
  expect(one!.contentBytes).toBeGreaterThan(LAYER.length);
  expect(multi!.contentBytes).toBe(multi!.branches.reduce((sum, branch) => sum + branch.contentBytes, 0));
});

test('filters choose trees, and patterns their names', async () => {
  const { host } = await indexWorld();
  await using _host = host;
  const names = async (...texts: string[]) =>
    (await imageTrees(host.engine, host.call, parseImageFilters(texts))).map(({ tags }) =>
      tags.map(familiarName).join(),
    );
  expect(await names('reference=multi:1')).toEqual(['multi:1']);
  expect(await names('reference=multi', 'reference=single')).toEqual(['multi:1,multi:2', 'single:latest']);
  expect(await names('dangling=true')).toEqual(['']);
  expect(await names('dangling=false')).toEqual(['multi:1,multi:2', 'single:latest']);
});

describe('as text', () => {
  const weight = { sizeBytes: 25_500_000, contentBytes: 20_200_000, isUsed: true };
  const nothing = { sizeBytes: 0, contentBytes: 0, isUsed: false };
  const id = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
  const trees: PlatformTree[] = [
    {
      tags: [parseReference('app:latest'), parseReference('app:v1')],
      digests: [],
      id: id('1'),
      ...weight,
      branches: [
        { id: id('1'), platform: { os: 'linux', architecture: 'amd64' }, isPresent: true, ...weight },
        {
          id: id('2'),
          platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
          isPresent: false,
          ...nothing,
        },
      ],
    },
    { tags: [], digests: [], id: id('3'), ...nothing, branches: [] },
  ];

  test('a line a name', () => {
    expect(imageTreeTable(trees, { isExpanded: false, hasLegend: false }).split('\n')).toEqual([
      'IMAGE        ID             DISK USAGE   CONTENT SIZE   EXTRA',
      'app:latest   111111111111       25.5MB         20.2MB   U',
      'app:v1       111111111111       25.5MB         20.2MB   U',
      '<untagged>   333333333333           0B             0B',
    ]);
  });

  test('lines are sorted by name, whichever image has it', () => {
    const [app] = trees;
    const other = { ...app!, tags: [parseReference('app:middle')], id: id('5') };
    const text = imageTreeTable([trees[1]!, app!, other], { isExpanded: false, hasLegend: false });
    const names = text.split('\n').map((line) => line.split(' ')[0]);
    expect(names).toEqual(['IMAGE', 'app:latest', 'app:middle', 'app:v1', '<untagged>']);
  });

  test('with platforms, and with what the letter means', () => {
    expect(imageTreeTable(trees, { isExpanded: true, hasLegend: true }).split('\n')).toEqual([
      '                                                         U  In Use',
      'IMAGE             ID             DISK USAGE   CONTENT SIZE   EXTRA',
      'app:latest',
      'app:v1            111111111111       25.5MB         20.2MB   U',
      '├─ linux/amd64    111111111111       25.5MB         20.2MB   U',
      '└─ linux/arm/v7   222222222222           0B             0B',
      '',
      '<untagged>        333333333333           0B             0B',
    ]);
  });

  test('what an index calls a platform cannot control a terminal', () => {
    const platform = { os: 'linux', architecture: '\x1b[31m' };
    const branches = [{ id: id('4'), platform, isPresent: false, ...nothing }];
    const text = imageTreeTable([{ ...trees[1]!, branches }], { isExpanded: true, hasLegend: false });
    expect(text).not.toContain('\x1b');
    expect(text).toContain(`└─ ${formatPlatform(platform).replace('\x1b', '\\x1b')}`);
  });
});
