/** Writes dist/types: the declarations that src/index.ts needs, and no others. Part of `npm pack`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const types = join(root, 'dist/types');
const IMPORT = /(from |import\()(['"])(\.[^'"]+)\.ts\2/g;

const all = mkdtempSync(join(tmpdir(), 'ocits-types-'));
try {
  const config = join(import.meta.dirname, 'tsconfig.types.json');
  execFileSync('tsc', ['--project', config, '--outDir', all], { cwd: root, stdio: 'inherit' });
  rmSync(types, { recursive: true, force: true });
  copy('index');
} finally {
  rmSync(all, { recursive: true, force: true });
}

/** Copies a module's declarations, and those of the modules that they name. */
function copy(module: string, done = new Set<string>()): void {
  if (done.has(module)) return;
  done.add(module);
  const text = readFileSync(join(all, `${module}.d.ts`), 'utf8');
  const target = join(types, `${module}.d.ts`);
  mkdirSync(dirname(target), { recursive: true });
  // The published modules end in .js.
  writeFileSync(target, text.replaceAll(IMPORT, '$1$2$3.js$2'));
  for (const [, , , path] of text.matchAll(IMPORT))
    copy(relative(all, join(all, dirname(module), path!)), done);
}
