import { expect, test } from 'vitest';
import { parseSignal } from '../../src/system/process/signal-number.ts';

test.each([
  ['SIGTERM', 15],
  ['term', 15],
  ['sigkill', 9],
  ['9', 9],
  ['64', 64],
  ['WINCH', 28],
  ['SIGCLD', 17],
  ['RTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['rtmax-1', 63],
  ['RTMAX', 64],
])('%s is %i', (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each([
  '',
  '0',
  '65',
  '-9',
  'SIG',
  'NOPE',
  'TERM ING',
  'RTMIN-1',
  'RTMAX+1',
  'RTMIN+31',
  '1e1',
  'toString',
])('%j is no signal', (text) => {
  expect(() => parseSignal(text)).toThrow('is no signal');
});
