import { expect, test } from 'vitest';
import { parseBoolean } from '../../src/options/boolean.ts';
import { parseByteSize } from '../../src/options/byte-size.ts';
import { csvFields } from '../../src/options/csv-fields.ts';
import { parseDevice } from '../../src/options/device.ts';
import { parseDurationNs } from '../../src/options/duration.ts';
import { parseFilter, timeOfFilter } from '../../src/options/filters/filter.ts';
import { globExpression } from '../../src/options/glob-expression.ts';
import { parseDecimal, parseInteger } from '../../src/options/number.ts';
import { parsePair, splitPair } from '../../src/options/pair.ts';
import { parseUlimit } from '../../src/options/ulimit.ts';

const invalid = (message: RegExp) => expect.objectContaining({ message: expect.stringMatching(message) });

test('booleans are those of Go', () => {
  expect(['1', 't', 'T', 'true', 'True', 'TRUE'].map(parseBoolean)).toEqual(Array(6).fill(true));
  expect(['0', 'f', 'F', 'false', 'False', 'FALSE'].map(parseBoolean)).toEqual(Array(6).fill(false));
  expect(['', 'yes', 'tRUE', '2', ' true'].map(parseBoolean)).toEqual(Array(5).fill(undefined));
});

test.each([
  ['0', 0],
  ['1k', 1024],
  ['1.5GiB', 1.5 * 1024 ** 3],
  ['10 MB', 10 * 1024 ** 2],
  ['7b', 7],
  ['2P', 2 * 1024 ** 5],
  ['', undefined],
  ['1x', undefined],
  ['-1', undefined],
  ['1.k', undefined],
])('the size %j is %j bytes', (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

test('numbers', () => {
  expect(['7', '-7', '+7', '1.5', '', '1e3', '1234567890123456'].map(parseInteger)).toEqual([
    ...[7, -7, 7],
    ...Array(4).fill(undefined),
  ]);
  expect(['1.5', '.5', '2', '-1', '1.', 'x'].map(parseDecimal)).toEqual([
    ...[1.5, 0.5, 2],
    ...Array(3).fill(undefined),
  ]);
});

test('durations have days only where they are asked for', () => {
  expect(parseDurationNs('7d', { withDays: true })).toBe(7 * 86_400e9);
  expect(parseDurationNs('1d12h', { withDays: true })).toBe(36 * 3600e9);
  expect(parseDurationNs('7d')).toBeUndefined();
});

test('pairs are divided at the first "="', () => {
  expect(splitPair('a=b=c')).toEqual(['a', 'b=c']);
  expect(splitPair('a')).toEqual(['a', undefined]);
  expect(splitPair('=a')).toEqual(['', 'a']);
  expect(parsePair('a')).toEqual(['a', '']);
  expect(parsePair('=a')).toBeUndefined();
});

test('devices and limits', () => {
  expect(parseDevice('/dev/a')).toEqual({ hostPath: '/dev/a', containerPath: '/dev/a', permissions: 'rwm' });
  expect(parseDevice('/dev/a:rw')).toEqual({
    hostPath: '/dev/a',
    containerPath: '/dev/a',
    permissions: 'rw',
  });
  expect(['dev/a', '/a:b', '/a:/b:rw:x'].map(parseDevice)).toEqual(Array(3).fill(undefined));
  expect(parseUlimit('core=0')).toEqual({ type: 'RLIMIT_CORE', soft: 0, hard: 0 });
  expect(parseUlimit('nofile=1:-1')).toEqual({ type: 'RLIMIT_NOFILE', soft: 1, hard: -1 });
  expect(parseUlimit('nofile')).toBeUndefined();
});

test('CSV has quotes, and what they hold may be anything', () => {
  expect(csvFields('a,"b,""c""",')).toEqual(['a', 'b,"c"', '']);
  expect(csvFields('a"b')).toBeUndefined();
  expect(csvFields('"a')).toBeUndefined();
});

test('a filter is one of the keys that there are', () => {
  expect(parseFilter('Label = a=b ', ['label', 'until'])).toEqual({ key: 'label', value: 'a=b' });
  const refused = expect.objectContaining({
    code: 'invalid-argument',
    message: 'invalid filter "labels=a"',
    hint: 'write key=value; the keys are id, label and until',
  });
  expect(() => parseFilter('labels=a', ['id', 'label', 'until'])).toThrow(refused);
  expect(() => parseFilter('until', ['until'])).toThrow(
    expect.objectContaining({ hint: 'write key=value; the key is until' }),
  );
  const now = new Date('2026-01-02T00:00:00Z');
  expect(timeOfFilter({ key: 'until', value: '24h' }, now)).toEqual(new Date('2026-01-01T00:00:00Z'));
  expect(() => timeOfFilter({ key: 'until', value: 'soon' })).toThrow(invalid(/^--filter until: "soon" is/));
});

test('a glob matches as a whole, and no wildcard crosses a slash', () => {
  const matches = (glob: string, text: string, doubleStar = false) =>
    globExpression(glob, { doubleStar }).test(text);
  expect(matches('a*c', 'abbc')).toBe(true);
  expect(matches('a*c', 'a/c')).toBe(false);
  expect(matches('**', 'a/b')).toBe(false);
  expect(matches('**', 'a/b', true)).toBe(true);
  expect(matches('[a-c]?', 'bé')).toBe(true);
  expect(matches('[^a]', 'a')).toBe(false);
  expect(matches('\\*', '*')).toBe(true);
  expect(matches('a.c', 'abc')).toBe(false);
  expect(() => globExpression('[a')).toThrow(invalid(/^pattern "\[a" has a "\[" without/));
  expect(() => globExpression('[z-a]', { written: '/[z-a]' })).toThrow(
    invalid(/^pattern "\/\[z-a\]" has a range/),
  );
});
