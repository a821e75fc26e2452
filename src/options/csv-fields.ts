/**
 * The fields of one line of CSV (RFC 4180), as `--mount` is written: a field in quotes may hold commas, and two quotes
 * in it stand for one. Undefined where a quote is not closed or stands in the middle of a field.
 */
export function csvFields(line: string): string[] | undefined {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/.exec(rest);
    if (match === null) return undefined;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    const isLast = !match[0].endsWith(',') && match[0].length === rest.length;
    if (isLast) return fields;
    rest = rest.slice(match[0].length);
  }
}
