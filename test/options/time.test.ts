import { expect, test } from 'vitest';
import { parseTime } from '../../src/options/time.ts';

const NOW = new Date('2026-01-02T03:04:05Z');

test.each([
  ['1h30m', '2026-01-02T01:34:05.000Z'],
  ['1.5s', '2026-01-02T03:04:03.500Z'],
  ['500ms', '2026-01-02T03:04:04.500Z'],
  ['7d', '2025-12-26T03:04:05.000Z'],
  ['1700000000.5', '2023-11-14T22:13:20.500Z'],
  ['2026-01-01', '2026-01-01T00:00:00.000Z'],
  ['2026-01-01T12:00:00+02:00', '2026-01-01T10:00:00.000Z'],
])('%s is %s', (text, time) => {
  expect(parseTime(text, NOW)?.toISOString()).toBe(time);
});

test.each(['yesterday', '', '1x', '2026-13-01', '-1h', '1h ago'])('%j is no time', (text) => {
  expect(parseTime(text, NOW)).toBeUndefined();
});
