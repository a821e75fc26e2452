/**
 * The two sides of `name=value`, divided at the first `=`. The value may have more of them. The value is undefined
 * where there is no `=`.
 */
export function splitPair(text: string): readonly [name: string, value: string | undefined] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Reads `name=value`; without `=` the value is empty. Undefined where the name is empty. */
export function parsePair(text: string): readonly [name: string, value: string] | undefined {
  const [name, value = ''] = splitPair(text);
  return name === '' ? undefined : [name, value];
}
