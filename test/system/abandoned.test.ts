import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeAbandoned } from '../../src/system/file/abandoned.ts';
import { temporaryName } from '../../src/system/file/atomic-file.ts';
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

  it('takes a folder that is not there for an empty one', async () => {
    await expect(removeAbandoned('/nowhere/at/all')).resolves.toBeUndefined();
  });
});
