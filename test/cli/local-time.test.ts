import { afterEach, expect, test } from 'vitest';
import { goTimeText, rfc3339Text } from '../../src/cli/output/local-time.ts';

const before = process.env['TZ'];
afterEach(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

const WINTER = new Date('2026-11-30T23:36:57.123Z');
const SUMMER = new Date('2026-06-30T23:36:57Z');

test.each([
  ['UTC', WINTER, '2026-11-30 23:36:57 +0000 UTC', '2026-11-30T23:36:57Z'],
  ['Europe/Berlin', WINTER, '2026-12-01 00:36:57 +0100 CET', '2026-12-01T00:36:57+01:00'],
  ['Europe/Berlin', SUMMER, '2026-07-01 01:36:57 +0200 CEST', '2026-07-01T01:36:57+02:00'],
  ['America/New_York', WINTER, '2026-11-30 18:36:57 -0500 EST', '2026-11-30T18:36:57-05:00'],
  ['Asia/Kolkata', WINTER, '2026-12-01 05:06:57 +0530 IST', '2026-12-01T05:06:57+05:30'],
  ['America/Sao_Paulo', WINTER, '2026-11-30 20:36:57 -0300 -03', '2026-11-30T20:36:57-03:00'],
] as const)('a time in %s as Go prints it', (zone, date, go, rfc3339) => {
  process.env['TZ'] = zone;
  expect(goTimeText(date)).toBe(go);
  expect(rfc3339Text(date)).toBe(rfc3339);
});
