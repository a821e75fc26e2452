import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { requireInit } from '../../src/container/start/init-program.ts';
import { findProgram, requireProgram } from '../../src/system/process/programs.ts';

test('programs are found in absolute folders alone', () => {
  expect(findProgram('sh', '')).toMatch(/^\/.*\/sh$/);
  expect(findProgram('netavark', '/usr/bin')).toMatch(/^\/usr\/lib/);
  const folder = mkdtempSync(join(tmpdir(), 'ocits-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'ocits-odd'), '', { mode: 0o755 });
  expect(findProgram('ocits-odd', folder)).toBe(join(folder, 'ocits-odd'));
  expect(findProgram('ocits-odd', `.:${folder.slice(1)}`)).toBeUndefined();
});

test('a folder or a file that cannot be executed is no program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocits-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'plain'), '', { mode: 0o644 });
  expect(findProgram('plain', folder)).toBeUndefined();
  expect(findProgram(folder.slice(tmpdir().length + 1), tmpdir())).toBeUndefined();
});

test('a program that is missing is named', () => {
  expect(() => requireProgram('no-such-program')).toThrow('no-such-program is not installed');
  expect(requireInit()).toMatch(/^\/.*\/(?:catatonit|docker-init|tini-static)$/);
});
