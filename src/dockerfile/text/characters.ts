/** Whether Go's `unicode.IsSpace` holds for a character: what BuildKit takes for white space. */
export function isSpace(char: string): boolean {
  return char === ' ' || (char >= '\t' && char <= '\r') || (char >= '\u0085' && WIDE_SPACE.test(char));
}

const WIDE_SPACE = /^[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** How many white space characters `text` begins with. */
export function leadingSpace(text: string): number {
  let count = 0;
  while (count < text.length && isSpace(text[count]!)) count++;
  return count;
}

export function trimSpace(text: string): string {
  const start = leadingSpace(text);
  let end = text.length;
  while (end > start && isSpace(text[end - 1]!)) end--;
  return text.slice(start, end);
}
