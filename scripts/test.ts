/** All checks and tests: types, formatting, promises, unused code, the bundle, then vitest on real tools. `npm test` */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImages } from './images/base-images.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const root = join(import.meta.dirname, '..');
const filters = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), 'ocits-test-'));

try {
  process.exitCode = main();
} finally {
  rmSync(work, { recursive: true, force: true });
}

function main(): number {
  baseImages(['busybox', 'debian', 'node']);
  for (const [program, ...args] of [
    ['node', 'scripts/build.ts'],
    ['tsc', '--noEmit'],
    ['biome', 'ci', '.'],
    ['oxlint'],
    ['knip'],
  ] as const) {
    if (run(program, args) !== 0) return closing({ passed: 0, failed: 1, skipped: 0 });
  }
  const report = join(work, 'report.json');
  const code = run('vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  const result = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const skipped = result.numPendingTests + result.numTodoTests;
  // A test that skips for a privilege or a tool that is missing tests nothing; here all of them are there.
  const failed =
    result.numFailedTests +
    (result.numFailedTests === 0 && code !== 0 ? Math.max(result.numFailedTestSuites, 1) : 0);
  return closing({ passed: result.numPassedTests, failed, skipped });
}

function run(program: string, args: readonly string[]): number {
  console.log(`\n=== ${program} ${args.slice(0, 2).join(' ')}`);
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) throw error;
  return status ?? 1;
}

function closing({ passed, failed, skipped }: { passed: number; failed: number; skipped: number }): number {
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || skipped > 0 ? 1 : 0;
}
