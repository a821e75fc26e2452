import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

const PROGRAM = `
import { build, images, isOcitsError, pull, run, type ProgressEvent } from 'ocits';

const onEvent = (event: ProgressEvent) => console.log(event.type);
const { digest } = await pull('node', { platform: 'linux/arm64', onEvent, signal: AbortSignal.timeout(1000) });
const names: readonly string[] = (await images()).flatMap((image) => image.names);
const code: number = await run('node', { flags: { volume: ['/src:/data'], rm: true } }).catch((error: unknown) => {
  if (isOcitsError(error, 'not-found')) return error.exitCode ?? 1;
  throw error;
});
console.log(digest.startsWith('sha256:'), names, code, (await build('.', { tags: ['hello'] })).id);
`;

test('a program of its own can be checked against the declarations that are published', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ocits-declarations-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await run('node', ['scripts/declarations.ts'], { cwd: ROOT });
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
  await symlink(ROOT, join(folder, 'node_modules/ocits'));
  await symlink(join(ROOT, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const check = async (program: string) => {
    await writeFile(join(folder, 'program.mts'), program);
    return await run('tsc', ['--ignoreConfig', ...options, 'program.mts'], { cwd: folder }).then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    );
  };
  expect(await check(PROGRAM)).toBe('');
  expect(await check(PROGRAM.replace("'linux/arm64'", '64'))).toContain("Type 'number' is not assignable");
});
