import { describe, expect, it } from 'vitest';
import { goDuration, goList, goQuote, goQuotedList } from '../../src/builder/plan/go-format.ts';

// What Go 1.19 prints for fmt.Printf("%q"), and for time.Duration with "%v".
describe('goQuote', () => {
  it.each([
    ['npm', '"npm"'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['tab\tline\nbell\x07', '"tab\\tline\\nbell\\a"'],
    ['\x00\x1b', '"\\x00\\x1b"'],
    ['é 😀', '"é 😀"'],
    ['\u00a0\u2028', '"\\u00a0\\u2028"'],
  ])('%j', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });
});

it('writes lists', () => {
  expect(goQuotedList(['npm', 'start'])).toBe('["npm" "start"]');
  expect(goQuotedList([])).toBe('[]');
  expect(goList(['3000/tcp', '9000/udp'])).toBe('[3000/tcp 9000/udp]');
});

describe('goDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ns'],
    [1500, '1.5µs'],
    [500_000_000, '500ms'],
    [1_500_000_000, '1.5s'],
    [90_000_000_000, '1m30s'],
    [3_600_000_000_000, '1h0m0s'],
    [3_661_500_000_000, '1h1m1.5s'],
  ])('%d', (nanoseconds, text) => {
    expect(goDuration(nanoseconds)).toBe(text);
  });
});
