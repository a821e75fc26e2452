import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findExit, settleExit, waitForExit } from '../../src/runtime/conmon/wait-for-exit.ts';
import {
  RUNTIME_PID_FILE,
  readExitRecord,
  readPidRecord,
  writeExitRecord,
  writePidRecord,
} from '../../src/runtime/crun/records.ts';
import { identifyProcess } from '../../src/system/process/process-identity.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ocits-records-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function sleeper(): number {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid!;
}

test('a record is read back; without one, what crun wrote counts for a process that is not younger', () => {
  const path = folder();
  const pid = sleeper();
  expect(readPidRecord(path)).toBeUndefined();
  const file = join(path, RUNTIME_PID_FILE);
  writeFileSync(file, `${pid}`);
  expect(readPidRecord(path)).toEqual(identifyProcess(pid));
  const earlier = new Date(Date.now() - 60_000);
  utimesSync(file, earlier, earlier);
  expect(readPidRecord(path)).toBeUndefined();
  writePidRecord(path, identifyProcess(pid)!);
  expect(readPidRecord(path)).toEqual(identifyProcess(pid));
  writeFileSync(join(path, 'pid'), '{torn');
  expect(readPidRecord(path)).toBeUndefined();
});

test('an exit is read back, from us or from conmon', () => {
  const path = folder();
  expect(findExit(path)).toBeUndefined();
  mkdirSync(join(path, 'conmon'));
  writeFileSync(join(path, 'conmon', 'oom'), '');
  writeFileSync(join(path, 'conmon', 'some-id.3F0A1Z'), '13');
  expect(findExit(path)).toBeUndefined();
  writeFileSync(join(path, 'conmon', 'some-id'), '137');
  expect(findExit(path)).toMatchObject({ exitCode: 137, oomKilled: true });
  expect(readExitRecord(path)).toBeUndefined();
  expect(settleExit(path)).toBe(true);
  expect(readExitRecord(path)).toMatchObject({ exitCode: 137, oomKilled: true });
  writeExitRecord(path, { exitCode: 3, oomKilled: false, finishedAt: '2024-01-01T00:00:00Z' });
  expect(settleExit(path)).toBe(true);
  expect(readExitRecord(path)).toMatchObject({ exitCode: 3 });
});

test.each([
  '',
  '{}',
  'null',
  '7',
  '{"exitCode":3',
  '{"pid":1}',
  '{"exitCode":0,"oomKilled":false,"finishedAt":"?"}',
])('a record that says %j counts as missing', (text) => {
  const path = folder();
  writeFileSync(join(path, 'pid'), text);
  writeFileSync(join(path, 'exit.json'), text);
  expect(readPidRecord(path)).toBeUndefined();
  expect(readExitRecord(path)).toBeUndefined();
});

test('a wait ends with the record, or by its signal', async () => {
  const path = folder();
  writePidRecord(path, identifyProcess(process.pid)!);
  const waiting = waitForExit(path);
  const finishedAt = '2024-01-01T00:00:00Z';
  setTimeout(() => writeExitRecord(path, { exitCode: 5, oomKilled: false, finishedAt }), 50);
  expect(await waiting).toMatchObject({ exitCode: 5 });
  rmSync(join(path, 'exit.json'));
  await expect(waitForExit(path, AbortSignal.timeout(50))).rejects.toThrow('timeout');
});
