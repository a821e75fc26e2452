import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const STAMP = 'a'.repeat(64);
/** A constant of a function's code, and so in a file of code only where that function is. */
const MARK = 'used once and long ago, ';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocits-kept-code-'));
  cpSync(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  mkdirSync(join(folder, 'dist'));
  const bundle = `
    function start() {
      return '${MARK}' + process.pid;
    }
    exports.program = () => {
      start();
      gc();
      return { ended: Promise.resolve() };
    };`;
  writeFileSync(join(folder, 'dist/main.cjs'), `//${STAMP}\n${bundle}`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string): void {
  // V8 throws away what has not run for some collections of garbage; by the flag, at the first one.
  const flags = ['--expose-gc', '--stress-flush-code'];
  execFileSync(process.execPath, [...flags, join(folder, 'bin/ocits.js'), command], {
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') },
  });
}

function kept(command: string): string {
  return join(folder, 'cache/ocits', `${command}.code`);
}

test('what ran at the start of a long command is kept for the next one', () => {
  run('pull');
  expect(readFileSync(kept('pull'), 'latin1')).toContain(MARK);
});

test('code that was kept is taken by the next run, and not made again', () => {
  run('images');
  const before = statSync(kept('images')).ino;
  run('images');
  expect(statSync(kept('images')).ino).toBe(before);
});
