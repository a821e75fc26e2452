import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeAbandoned } from '../../src/system/file/abandoned.ts';
import { temporaryName } from '../../src/system/file/atomic-file.ts';
import { outsideName } from '../../src/system/file/outside-name.ts';
import { removeTrees } from '../../src/system/file/remove-tree.ts';

describe('removeAbandoned', () => {
  it('removes what a process that is gone has left under way, and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocits-abandoned-'));
    const gone = spawnSync('true').pid;
    const own = temporaryName(folder);
    await writeFile(own, '');
    await writeFile(join(folder, 'kept'), '');
    await writeFile(join(folder, `.tmp-${gone}-0a1b2c`), '');
    await mkdir(join(folder, `.tmp-${gone}-3d4e5f`, 'data'), { recursive: true });
    await removeAbandoned(folder);
    expect((await readdir(folder)).sort()).toEqual([basename(own), 'kept']);
    await removeTrees([folder]);
  });

  it("removes what a link of a process that is gone leads to, where it has the link's name", async () => {
    const [outside, scratch] = [
      await mkdtemp(join(tmpdir(), 'ocits-outside-')),
      await mkdtemp(join(tmpdir(), 'ocits-abandoned-')),
    ];
    const gone = spawnSync('true').pid;
    const left = `.tmp-${gone}-0a1b2c`;
    await symlink(join(outside, left), join(scratch, left));
    await symlink(join(outside, 'precious'), join(scratch, `.tmp-${gone}-3d4e5f`));
    using own = outsideName(outside, scratch);
    for (const path of [join(outside, left), join(outside, 'precious'), own.path]) await writeFile(path, '');
    await removeAbandoned(scratch);
    expect((await readdir(outside)).sort()).toEqual([basename(own.path), 'precious']);
    expect(await readdir(scratch)).toEqual([basename(own.path)]);
    await removeTrees([outside, scratch]);
  });

  it('takes a folder that is not there for an empty one', async () => {
    await expect(removeAbandoned('/nowhere/at/all')).resolves.toBeUndefined();
  });
});
