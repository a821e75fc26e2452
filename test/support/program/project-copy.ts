import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** Copies what the package is made of to `target`, a new folder: other tests run what is in this one's dist/ meanwhile. */
export function copyProject(target: string): void {
  mkdirSync(target);
  const parts = ['bin', 'docs', 'scripts', 'src', 'package.json', 'tsconfig.json'];
  for (const name of [...parts, 'README.md', 'CHANGELOG.md', 'LICENSE']) {
    cpSync(join(ROOT, name), join(target, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(target, 'node_modules'));
}
