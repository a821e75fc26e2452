/**
 * Whether a text is what one of the values of a filter says, as Docker has it for names: the value itself, or a
 * regular expression that fits somewhere in the text. Without values every text is. A value that is no expression fits
 * nothing but itself.
 */
export function matchesPattern(values: readonly string[] | undefined, text: string): boolean {
  return (
    values === undefined || values.some((value) => value === text || expressionOf(value)?.test(text) === true)
  );
}

/** Undefined where it is none. Go has flags as `(?i)` at the beginning, where JavaScript has them behind. */
function expressionOf(text: string): RegExp | undefined {
  const [, flags = '', rest = text] = /^\(\?([ims]+)\)(.*)$/s.exec(text) ?? [];
  try {
    return new RegExp(rest, [...new Set(flags)].join(''));
  } catch {
    return undefined;
  }
}
