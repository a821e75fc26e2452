import { isDeepStrictEqual } from 'node:util';
import { OcitsError } from '../../errors.ts';
import { GoMap, GoNil } from '../shapes/go-value.ts';
import { goText, isTruthy } from './go-text.ts';
import { printf } from './printf.ts';

type TemplateFunction = (...operands: never[]) => unknown;

const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (value: unknown) => JSON.stringify(value ?? null),
  join: (items: readonly unknown[] | undefined, separator: string) =>
    (items ?? []).map(goText).join(separator),
  split: (text: string, separator: string) => text.split(separator),
  lower: (text: string) => text.toLowerCase(),
  upper: (text: string) => text.toUpperCase(),
  title: (text: string) => text.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  pad: (text: string, before: number, after: number) =>
    text === '' ? text : ' '.repeat(before) + text + ' '.repeat(after),
  truncate: (text: string, length: number) => text.slice(0, length),
  println: (...values: unknown[]) => `${values.map(goText).join(' ')}\n`,
  print: (...values: unknown[]) => values.map(goText).join(''),
  printf: (format: string, ...values: unknown[]) => printf(format, values),
  len: (value: unknown) =>
    typeof value === 'string' || Array.isArray(value)
      ? value.length
      : Object.keys((value ?? {}) as object).length,
  index: (value: unknown, ...keys: (string | number)[]) =>
    keys.reduce((at: unknown, key) => element(at, key), value),
  slice: (value: string | readonly unknown[], from = 0, to?: number) => value.slice(from, to),
  eq: (first: unknown, ...others: unknown[]) => others.some((other) => isSame(first, other)),
  ne: (a: unknown, b: unknown) => !isSame(a, b),
  lt: (a: number, b: number) => a < b,
  le: (a: number, b: number) => a <= b,
  gt: (a: number, b: number) => a > b,
  ge: (a: number, b: number) => a >= b,
  and: (...values: unknown[]) => firstOrLast(values, (value) => !isTruthy(value)),
  or: (...values: unknown[]) => firstOrLast(values, isTruthy),
  not: (value: unknown) => !isTruthy(value),
};

/** Calls a function of Docker's templates. Throws `invalid-argument` for an unknown one and for operands of a wrong kind. */
export function callFunction(name: string, operands: readonly unknown[]): unknown {
  if (!Object.hasOwn(FUNCTIONS, name)) {
    throw new OcitsError('invalid-argument', `template: function ${JSON.stringify(name)} not defined`, {
      hint: `there are: ${Object.keys(FUNCTIONS).join(', ')}`,
    });
  }
  try {
    return FUNCTIONS[name]!(...(operands as never[]));
  } catch (error) {
    throw new OcitsError('invalid-argument', `template: ${name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function firstOrLast(values: readonly unknown[], decides: (value: unknown) => boolean): unknown {
  const position = values.findIndex(decides);
  return values.at(position);
}

/** A pointer that is nil equals `nil`. */
function isSame(a: unknown, b: unknown): boolean {
  const [first, second] = [a, b].map((value) => (value instanceof GoNil ? null : value));
  return isDeepStrictEqual(first, second);
}

function element(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) {
    if (typeof key !== 'number' || key < 0 || key >= value.length)
      throw new Error(`index out of range: ${key}`);
    return value[key];
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, String(key))) return (value as Record<string, unknown>)[key];
  return value instanceof GoMap ? GoMap.zeroOf(value) : '';
}
