import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noteKill, oomKillCount, wasOomKilled } from '../../src/runtime/crun/oom.ts';

test('a lack of memory is told from other ends by SIGKILL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocits-oom-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const before = { oomKillsBefore: oomKillCount() - 1 };
  expect(wasOomKilled(folder, before, 137)).toBe(true);
  expect(wasOomKilled(folder, before, 1)).toBe(false);
  expect(wasOomKilled(folder, {}, 137)).toBe(false);
  expect(wasOomKilled(folder, { oomKillsBefore: Number.MAX_SAFE_INTEGER }, 137)).toBe(false);
  noteKill(folder);
  expect(wasOomKilled(folder, before, 137)).toBe(false);
});
