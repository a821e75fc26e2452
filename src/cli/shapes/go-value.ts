/** A Go slice that is nil: a list without items whose JSON is `null`. */
export class NilList extends Array<never> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  toJSON(): null {
    return null;
  }
}

/** A Go pointer that is nil. What lies below it is empty, not an error. */
export class GoNil {
  readonly #zeroOf: (name: string) => unknown;

  /** `zeroOf` gives the empty value of a field; undefined where there is no such field. */
  constructor(zeroOf: (name: string) => unknown) {
    this.#zeroOf = zeroOf;
  }

  zeroOf(name: string): unknown {
    return this.#zeroOf(name);
  }

  toJSON(): null {
    return null;
  }
}

/** A Go map: its keys are its own properties. A key that is not there is no error. */
export class GoMap {
  readonly #isNil: boolean;
  readonly #zero: () => unknown;

  /** No entries at all is a map that is nil. `zero` is what `index` gives for a key that is not there. */
  constructor(entries: readonly (readonly [string, unknown])[] | undefined, zero: () => unknown) {
    this.#isNil = entries === undefined;
    this.#zero = zero;
    for (const [key, value] of entries ?? []) define(this, key, value, true);
  }

  /** The value of a key that `container` does not have. Static, since a key may have any name. */
  static zeroOf(container: GoMap): unknown {
    return container.#zero();
  }

  /** Go sorts keys. */
  toJSON(): object | null {
    return this.#isNil ? null : Object.fromEntries(Object.entries(this).sort(byKey));
  }
}

/** A field as a struct is made of it. */
export interface GoField {
  readonly name: string;
  readonly value: unknown;
  /** Whether JSON leaves it out where it is empty. */
  readonly omitEmpty: boolean;
}

/** A Go struct: its fields are its own properties. There are no others. */
export class GoStruct {
  readonly #fields: readonly GoField[];

  /** `aliases`: other names of fields, which only templates know. */
  constructor(fields: readonly GoField[], aliases: Readonly<Record<string, string>>) {
    this.#fields = fields;
    for (const { name, value } of fields) define(this, name, value, true);
    for (const [alias, name] of Object.entries(aliases)) {
      define(this, alias, fields.find((field) => field.name === name)?.value, false);
    }
  }

  toJSON(): object {
    const shown = this.#fields.filter(({ value, omitEmpty }) => !(omitEmpty && isEmpty(value)));
    return Object.fromEntries(shown.map(({ name, value }) => [name, value]));
  }
}

/** The time that Go has where none was set. */
const NO_TIME = '0001-01-01T00:00:00Z';

/** A Go time: RFC 3339 in JSON, `2026-11-30 23:36:57.12 +0000 UTC` in a template. */
export class GoTime {
  readonly #text: string;

  constructor(text: string | undefined) {
    this.#text = text ?? NO_TIME;
  }

  get isZero(): boolean {
    return this.#text === NO_TIME;
  }

  toString(): string {
    const [, date, time, fraction = ''] = /^(\d+-\d+-\d+)T(\d+:\d+:\d+)(\.\d*?)?0*Z$/.exec(this.#text) ?? [];
    if (date === undefined) return this.#text;
    return `${date} ${time}${fraction === '.' ? '' : fraction} +0000 UTC`;
  }

  toJSON(): string {
    return this.#text;
  }
}

/** A value that says itself how a template prints it, and what it is in JSON. */
export class GoShown {
  readonly #text: string;
  readonly #json: unknown;

  constructor(text: string, json: unknown) {
    this.#text = text;
    this.#json = json;
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): unknown {
    return this.#json;
  }
}

/** Whether Go's `omitempty` leaves it out. */
function isEmpty(value: unknown): boolean {
  if (value instanceof GoNil) return true;
  if (value instanceof GoTime) return value.isZero;
  if (value instanceof GoStruct) return false;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return !value;
}

function define(target: object, name: string, value: unknown, enumerable: boolean): void {
  // A label may have any name, such as `__proto__`.
  Object.defineProperty(target, name, { value, enumerable });
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
