/** Reads a whole number with at most 15 digits, with a sign or without; undefined where the text is none. */
export function parseInteger(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Reads a number without a sign, such as `1.5` or `.5`; undefined where the text is none. */
export function parseDecimal(text: string): number | undefined {
  return /^\d+(\.\d+)?$|^\.\d+$/.test(text) ? Number(text) : undefined;
}
