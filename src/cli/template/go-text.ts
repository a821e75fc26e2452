import { GoNil, GoShown, GoStruct, GoTime } from '../shapes/go-value.ts';

/** Whether Go's templates take a value for true: not empty, zero, false or nil. */
export function isTruthy(value: unknown): boolean {
  if (value instanceof GoNil) return false;
  if (value instanceof GoStruct || value instanceof GoTime || value instanceof GoShown) return true;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as Go prints it: `[a b]`, `map[k:v]`, `{a b}` for a struct, `<no value>`. */
export function goText(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null || value instanceof GoNil) return '<nil>';
  if (value instanceof GoStruct) return `{${Object.values(value).map(goText).join(' ')}}`;
  if (value instanceof GoTime || value instanceof GoShown) return value.toString();
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`;
  }
  return String(value);
}
