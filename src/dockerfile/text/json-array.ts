import { dockerfileError } from '../dockerfile-error.ts';
import { type LogicalLine, positionAt } from './logical-line.ts';
import type { RawWord } from './split-words.ts';

/**
 * Reads the JSON form of an instruction's arguments, `["a", "b"]`. Undefined where the text is no JSON array: then it
 * is the shell form, however much it looks like JSON. Throws `syntax` for an array that holds anything but strings.
 */
export function readJsonArray(file: string, line: LogicalLine, start: number): RawWord[] | undefined {
  const text = line.text.slice(start);
  if (!text.startsWith('[')) return undefined;
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(values)) return undefined;
  const offsets = stringOffsets(text);
  return values.map((value, index) => {
    if (typeof value !== 'string') {
      throw dockerfileError(
        file,
        positionAt(line, start),
        'a JSON array of arguments may hold only strings',
        {
          hint: 'put every element in double quotes',
        },
      );
    }
    return { text: value, offset: start + offsets[index]! };
  });
}

/** Where each string literal of a valid JSON text begins. */
function stringOffsets(text: string): number[] {
  const offsets: number[] = [];
  for (let start = text.indexOf('"'); start >= 0; ) {
    offsets.push(start);
    let end = start + 1;
    while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    start = text.indexOf('"', end + 1);
  }
  return offsets;
}
