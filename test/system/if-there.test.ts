import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  namesIfThere,
  namesIfThereSync,
  textIfThere,
  textIfThereSync,
} from '../../src/system/file/if-there.ts';
import { removeTrees } from '../../src/system/file/remove-tree.ts';

describe('what may not be there', () => {
  it('is read where it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocits-if-there-'));
    const file = join(folder, 'file');
    await writeFile(file, 'text');
    expect([await textIfThere(file), textIfThereSync(file)]).toEqual(['text', 'text']);
    expect([await namesIfThere(folder), namesIfThereSync(folder)]).toEqual([['file'], ['file']]);
    await removeTrees([folder]);
  });

  it('is no error, also below a file', async () => {
    for (const path of ['/nowhere/at/all', '/etc/passwd/below']) {
      expect([await textIfThere(path), textIfThereSync(path)]).toEqual([undefined, undefined]);
      expect([await namesIfThere(path), namesIfThereSync(path)]).toEqual([[], []]);
    }
  });

  it('fails for any other reason', async () => {
    await expect(textIfThere('/etc')).rejects.toThrow('EISDIR');
    expect(() => textIfThereSync('/etc')).toThrow('EISDIR');
    // A file that is taken for a folder is not there as one.
    expect(namesIfThereSync('/etc/passwd')).toEqual([]);
  });
});
