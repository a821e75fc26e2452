/** How Go prints values. The history of an image has them so, whichever builder wrote it. */

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** `%q` of a text. */
export function goQuote(text: string): string {
  const escaped = text.replaceAll(/["\\]|[^\P{C}]|[^\P{Z} ]/gu, (char) => {
    const short = SHORT_ESCAPES[char];
    if (short !== undefined) return short;
    const code = char.codePointAt(0)!;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code < 0x10000
      ? `\\u${code.toString(16).padStart(4, '0')}`
      : `\\U${code.toString(16).padStart(8, '0')}`;
  });
  return `"${escaped}"`;
}

/** `%q` of a list: `["npm" "start"]`. */
export function goQuotedList(words: readonly string[]): string {
  return `[${words.map(goQuote).join(' ')}]`;
}

/** `%v` of a list: `[3000/tcp 9000/udp]`. */
export function goList(words: readonly string[]): string {
  return `[${words.join(' ')}]`;
}

const UNITS: readonly (readonly [bigint, string])[] = [
  [3_600_000_000_000n, 'h'],
  [60_000_000_000n, 'm'],
];

/** `%v` of a duration in nanoseconds, none negative: `1m30s`, `500ms`, `0s`. */
export function goDuration(nanoseconds: number): string {
  let left = BigInt(Math.trunc(nanoseconds));
  if (left === 0n) return '0s';
  if (left < 1000n) return `${left}ns`;
  if (left < 1_000_000n) return `${decimal(left, 3)}µs`;
  if (left < 1_000_000_000n) return `${decimal(left, 6)}ms`;
  let text = '';
  for (const [size, unit] of UNITS) {
    if (text !== '' || left >= size) text += `${left / size}${unit}`;
    left %= size;
  }
  return `${text}${decimal(left, 9)}s`;
}

function decimal(value: bigint, digits: number): string {
  const scale = 10n ** BigInt(digits);
  const fraction = (value % scale).toString().padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / scale}` : `${value / scale}.${fraction}`;
}
