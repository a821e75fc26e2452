import { OcitsError } from '../errors.ts';

/** What `read` makes of a JSON object in at most `limitBytes`. `what` names it in errors. Throws `hostile`. */
export function readJson<T>(
  content: Uint8Array,
  { what, limitBytes }: { readonly what: string; readonly limitBytes: number },
  read: (fields: JsonFields) => T,
): T {
  if (content.length > limitBytes) {
    throw new OcitsError('hostile', `${what} has ${content.length} bytes, more than ${limitBytes}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (cause) {
    throw new OcitsError('hostile', `${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
  return read(new JsonFields(value, what));
}

/**
 * A JSON object that may be hostile, asked for its fields by name. A field that is absent or null is undefined where
 * it may be missing. Whatever has a wrong type is `hostile`, and the error names the field.
 */
export class JsonFields {
  /** How errors call the object. */
  readonly what: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** Throws `hostile` where `value` is no JSON object. */
  constructor(value: unknown, what: string) {
    this.what = what;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new OcitsError('hostile', `${what} is not a JSON object`);
    }
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  has(name: string): boolean {
    return name in this.#fields;
  }

  /** As it stands there, of any type. */
  value(name: string): unknown {
    return this.#fields[name];
  }

  names(): string[] {
    return Object.keys(this.#fields);
  }

  /** All fields as they stand there. */
  all(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }

  /** A field of another type counts as missing. */
  textIfAny(name: string): string | undefined {
    const value = this.#fields[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Without a NUL, which would cut it short where C code reads it. */
  text(name: string): string {
    const value = this.#fields[name];
    if (!isText(value)) throw this.fault(name, 'is missing');
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.#fields[name];
    if (value == null) return undefined;
    if (!isText(value)) throw this.fault(name, 'is not a text');
    return value;
  }

  optionalTexts(name: string): readonly string[] | undefined {
    const value = this.#fields[name];
    if (value == null) return undefined;
    if (!Array.isArray(value) || !value.every(isText)) throw this.fault(name, 'is not a list of texts');
    return value;
  }

  /** The keys of an object, where they alone count. */
  optionalKeys(name: string): Readonly<Record<string, object>> | undefined {
    const keys = this.optional(name, (fields) => fields.names());
    if (keys === undefined) return undefined;
    if (!keys.every(isText)) throw this.fault(name, 'has a key with a NUL');
    return Object.fromEntries(keys.map((key) => [key, {}]));
  }

  /** A map of texts, of at most `limit` entries. */
  optionalTextMap(
    name: string,
    limit: number = Number.POSITIVE_INFINITY,
  ): Readonly<Record<string, string>> | undefined {
    const map = this.optional(name, (fields) => Object.entries(fields.all()));
    if (map === undefined) return undefined;
    if (map.length > limit) throw this.fault(name, `has more than ${limit} entries`);
    for (const [key, text] of map) {
      if (!isText(key) || !isText(text)) throw this.fault(name, `${JSON.stringify(key)} is not a text`);
    }
    // Object.fromEntries defines the key __proto__ like any other.
    return Object.fromEntries(map) as Record<string, string>;
  }

  /** What `read` makes of the object in a field. */
  object<T>(name: string, read: (fields: JsonFields) => T): T {
    return read(new JsonFields(this.#fields[name], `${this.what}: ${name}`));
  }

  /** The same where the field may be missing. */
  optional<T>(name: string, read: (fields: JsonFields) => T): T | undefined {
    return this.#fields[name] == null ? undefined : this.object(name, read);
  }

  /** What `read` makes of each object in a list. Errors call one `item`, with its place from 1 on. */
  list<T>(name: string, item: string, read: (fields: JsonFields) => T): readonly T[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.fault(name, 'is not a list');
    return value.map((each, index) => read(new JsonFields(each, `${this.what}: ${item} ${index + 1}`)));
  }

  /** The same where the field may be missing. */
  optionalList<T>(name: string, item: string, read: (fields: JsonFields) => T): readonly T[] | undefined {
    return this.#fields[name] == null ? undefined : this.list(name, item, read);
  }

  /** The error for a field. */
  fault(name: string, why: string): OcitsError {
    return new OcitsError('hostile', `${this.what}: ${name} ${why}`);
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}
