import { spawn } from 'node:child_process';
import { expect, onTestFinished, test, vi } from 'vitest';
import { identifyProcess, isRunning, ownIdentity } from '../../src/system/process/process-identity.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

test('a process is itself by its number, its start and its boot', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const identity = identifyProcess(child.pid!)!;
  expect(isRunning(identity)).toBe(true);
  expect(isRunning({ ...identity, startTicks: identity.startTicks - 1 })).toBe(false);
  expect(isRunning({ ...identity, bootId: 'another' })).toBe(false);
  child.kill('SIGKILL');
  await vi.waitUntil(() => !isRunning(identity), PATIENCE_MS);
});

test('there is no process of a number that none has', () => {
  for (const pid of [0, -1, Number.NaN, 2 ** 30]) expect(identifyProcess(pid)).toBeUndefined();
});

test('this process is one', () => {
  expect(ownIdentity()).toEqual(identifyProcess(process.pid));
});
