const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/**
 * Reads a size as Docker's options take it: `512m`, `1.5g`, `2GiB`, bytes without a unit. Units are powers of 1024, and
 * parts of a byte are dropped. Undefined where the text is no size.
 */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) return undefined;
  const unit = match[2]!.toLowerCase().replace('b', '');
  return Math.floor(Number(match[1]) * 1024 ** UNITS.indexOf(unit));
}
