import { expect, test } from 'vitest';
import { printable, printableEvent, printableLine } from '../../src/cli/output/printable.ts';

test.each([
  ['plain text, Grüße 🙂\n\ttabbed', 'plain text, Grüße 🙂\n\ttabbed'],
  ['\x1b]0;title\x07\x1b[2J', '\\x1b]0;title\\x07\\x1b[2J'],
  ['a\rb\0c\x7f', 'a\\x0db\\x00c\\x7f'],
  ['\x9b31m', '\\x9b31m'],
  ['abc\u202etxt.exe\u2066', 'abc\\u202etxt.exe\\u2066'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('one line, where a table has one', () => {
  expect(printableLine('a\nb\tc\x1b')).toBe('a b c\\x1b');
});

test('all texts of an event, and not what a step prints', () => {
  expect(printableEvent({ task: 'build-1', type: 'message', level: 'warning', text: '\x1b[2J' })).toEqual({
    task: 'build-1',
    type: 'message',
    level: 'warning',
    text: '\\x1b[2J',
  });
  const output = {
    task: 'build-1',
    type: 'output',
    stepId: '1',
    stream: 'stdout',
    data: Buffer.from('\x1b[1m'),
  } as const;
  expect(printableEvent(output)).toBe(output);
});
