import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A freshly made journaled ext4 in a file, mounted: every tool's state lies on one like it. */
export interface StateDisk extends Disposable {
  readonly folder: string;
}

const SIZE = '12G';

/** Makes and mounts one; disposing unmounts and deletes it. */
export function freshDisk(work: string, name: string): StateDisk {
  const file = join(work, `${name}.ext4`);
  const folder = join(work, name);
  rmSync(file, { force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('truncate', ['-s', SIZE, file]);
  execFileSync('mkfs.ext4', [
    '-q',
    '-F',
    '-E',
    'lazy_itable_init=0,lazy_journal_init=0',
    '-i',
    '16384',
    file,
  ]);
  execFileSync('mount', ['-o', 'loop', file, folder]);
  return {
    folder,
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', folder]);
      rmSync(file, { force: true });
    },
  };
}
