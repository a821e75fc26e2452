import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeTrees } from '../../src/system/file/remove-tree.ts';
import { runTool } from '../../src/system/process/spawn.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocits-remove-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([3, 500])(
  'a tree of %i files goes, with names that are not UTF-8, and links are not followed',
  async (count) => {
    writeFileSync(join(folder, 'kept'), 'kept');
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'a/b/c'), { recursive: true });
    symlinkSync(folder, join(tree, 'a/outside'));
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.from([0xff, 0xfe])]), '');
    for (let index = 0; index < count; index++) writeFileSync(join(tree, 'a/b', `${index}`), '');
    await removeTrees([tree, join(folder, 'never there'), join(folder, 'none')]);
    expect(existsSync(tree)).toBe(false);
    expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('kept');
  },
);

test('what is mounted in it is left alone, and that is said', async () => {
  const [source, target] = [join(folder, 'source'), join(folder, 'mounted/here')];
  for (const path of [source, target]) mkdirSync(path, { recursive: true });
  await runTool('mount', ['-t', 'tmpfs', 'tmpfs', target]);
  try {
    writeFileSync(join(target, 'file'), '');
    await expect(removeTrees([join(folder, 'mounted')])).rejects.toMatchObject({ code: 'tool-failed' });
    expect(readdirSync(target)).toEqual(['file']);
  } finally {
    await runTool('umount', [target]);
  }
  await removeTrees([join(folder, 'mounted')]);
  expect(existsSync(target)).toBe(false);
});
