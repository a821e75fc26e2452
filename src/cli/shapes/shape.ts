/**
 * The room of the shapes of what Docker shows: which fields each kind of object has, of which type, by the published
 * definitions of the Engine API (v1.47 to v1.52). `inspect`, `info` and `version` give their data a shape before they
 * print it, so that a field that is empty here has the value that it is empty with in Docker, and only a field that
 * Docker does not know is an error. The tables are data; the room knows no domain.
 *
 *     const volume = shapeValue(VOLUME, { Name: 'data', Labels: null });
 *     JSON.stringify(volume);                       // all fields, in Docker's order
 *     fillTemplate('{{.Scope}} {{.Labels}}', volume);  // the first is empty, the second `map[]`
 */

import { GoMap, GoNil, GoStruct, GoTime, NilList } from './go-value.ts';

/** The type of a value. `time` is a text of RFC 3339 that templates see as Go's time; `any` is passed on as it is. */
export type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | 'time'
  | 'any'
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'map'; readonly of: Shape }
  | { readonly kind: 'pointer'; readonly to: Shape }
  | StructShape;

export interface StructShape {
  readonly kind: 'struct';
  /** By their names in JSON, in order. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Other names that templates may use, those of the fields in Go: to the name in JSON. */
  readonly aliases: Readonly<Record<string, string>>;
}

interface Field {
  readonly shape: Shape;
  /** Whether JSON leaves it out where it is empty. */
  readonly omitEmpty: boolean;
}

/** A Go slice: empty it is `[]` in a template and `null` in JSON. */
export function listOf(of: Shape): Shape {
  return { kind: 'list', of };
}

/** A Go map: empty it is `map[]` in a template and `null` in JSON. */
export function mapOf(of: Shape): Shape {
  return { kind: 'map', of };
}

/** What may be nil. */
export function pointerTo(to: Shape): Shape {
  return { kind: 'pointer', to };
}

/**
 * A Go struct. The name of a field that JSON leaves out where it is empty ends in `?`. `aliases` are the fields' names
 * in Go where JSON has others.
 */
export function struct(
  fields: Readonly<Record<string, Shape>>,
  aliases: Readonly<Record<string, string>> = {},
): StructShape {
  const entries = Object.entries(fields).map(([name, shape]) => {
    const omitEmpty = name.endsWith('?');
    return [omitEmpty ? name.slice(0, -1) : name, { shape, omitEmpty }] as const;
  });
  return { kind: 'struct', fields: Object.fromEntries(entries), aliases };
}

/**
 * Gives plain data its shape, for templates and for JSON alike. What is missing gets the empty value of its type; what
 * the shape does not know is kept behind the rest.
 */
export function shapeValue(shape: Shape, raw: unknown): unknown {
  if (typeof shape === 'string') return plainValue(shape, raw);
  switch (shape.kind) {
    case 'list':
      return Array.isArray(raw) ? raw.map((item) => shapeValue(shape.of, item)) : new NilList();
    case 'map':
      return mapValue(shape.of, raw);
    case 'pointer':
      return raw === undefined || raw === null
        ? new GoNil((name) => zeroField(shape.to, name))
        : shapeValue(shape.to, raw);
    case 'struct':
      return structValue(shape, raw);
  }
}

function plainValue(shape: Shape & string, raw: unknown): unknown {
  switch (shape) {
    case 'string':
      return raw ?? '';
    case 'number':
      return raw ?? 0;
    case 'boolean':
      return raw ?? false;
    case 'time':
      return new GoTime(typeof raw === 'string' ? raw : undefined);
    case 'any':
      return raw ?? null;
  }
}

function mapValue(of: Shape, raw: unknown): GoMap {
  const zero = () => shapeValue(of, undefined);
  if (typeof raw !== 'object' || raw === null) return new GoMap(undefined, zero);
  return new GoMap(
    Object.entries(raw).map(([key, item]) => [key, shapeValue(of, item)] as const),
    zero,
  );
}

function structValue({ fields, aliases }: StructShape, raw: unknown): GoStruct {
  const given = (typeof raw === 'object' && raw !== null ? raw : {}) as Readonly<Record<string, unknown>>;
  const known = Object.entries(fields).map(([name, { shape, omitEmpty }]) => ({
    name,
    value: shapeValue(shape, given[name]),
    omitEmpty,
  }));
  const more = Object.entries(given)
    .filter(([name, value]) => !Object.hasOwn(fields, name) && value !== undefined)
    .map(([name, value]) => ({ name, value, omitEmpty: false }));
  return new GoStruct([...known, ...more], aliases);
}

/** What a field below a nil pointer is: empty, where the shape knows it. */
function zeroField(shape: Shape, name: string): unknown {
  if (typeof shape === 'string' || shape.kind !== 'struct') return undefined;
  const field = shape.fields[shape.aliases[name] ?? name];
  return field === undefined ? undefined : shapeValue(field.shape, undefined);
}
