import { expect, test } from 'vitest';
import { signalExitCode } from '../../src/runtime/crun/send-signal.ts';

test('a signal counts as 128 and its number', () => {
  expect(signalExitCode('SIGKILL')).toBe(137);
});
