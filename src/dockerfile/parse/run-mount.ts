import { parseBoolean } from '../../options/boolean.ts';
import { parseByteSize } from '../../options/byte-size.ts';
import { csvFields } from '../../options/csv-fields.ts';
import { splitPair } from '../../options/pair.ts';
import { dockerfileError } from '../dockerfile-error.ts';
import type { Word } from '../source.ts';
import { didYouMean } from '../text/suggest.ts';

type RunMountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

/** A `RUN --mount=…`, read. What a type cannot have is refused by the parser, so the rest needs no check. */
export interface RunMount {
  readonly type: RunMountType;
  /** A stage or image; undefined: the build context (bind), nothing (cache). An empty one counts as not given. */
  readonly from?: string | undefined;
  /** Undefined: all of it. */
  readonly source?: string | undefined;
  /** Undefined: the working directory; for a secret, `/run/secrets/ID`. */
  readonly target?: string | undefined;
  readonly readOnly: boolean;
  readonly required: boolean;
  readonly id?: string | undefined;
  readonly sharing?: 'shared' | 'private' | 'locked' | undefined;
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly sizeBytes?: number | undefined;
  /** For a secret: the variable that gets it. */
  readonly env?: string | undefined;
  readonly at: Word['at'];
}

type Draft = { -readonly [K in keyof RunMount]?: RunMount[K] | undefined };

const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};
const KEYS = [
  'type',
  'from',
  'source',
  'target',
  'readonly',
  'readwrite',
  'required',
  'id',
  'sharing',
  'mode',
  'uid',
  'gid',
  'size',
  'env',
] as const;
type Key = (typeof KEYS)[number];
const TYPES: readonly RunMountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const SHARING = ['shared', 'private', 'locked'] as const;

/**
 * Reads a `--mount` value: fields `key=value` with commas between them, each of which may be in double quotes.
 * With `expand`, variables in the values are replaced first; without, values that hold one are not judged yet.
 * Throws `syntax` at the flag.
 */
export function parseRunMount(file: string, word: Word, expand?: (word: Word) => string): RunMount {
  const fault = (message: string, hint?: string): never => {
    throw dockerfileError(file, word.at, message, { hint });
  };
  const draft: Draft = { at: word.at };
  let open = false;
  for (const field of csvFields(word.text) ?? fault('the quotes of --mount are not closed')) {
    const [name, given] = splitPair(field);
    const written = name.toLowerCase();
    const key = ALIASES[written] ?? written;
    if (!KEYS.includes(key as Key))
      fault(`unknown key ${JSON.stringify(written)} in --mount`, didYouMean(key, KEYS));
    let value = given;
    if (value?.includes('$')) {
      if (key === 'from')
        fault('variables are not expanded in from= of --mount', 'define a stage with FROM instead');
      if (expand === undefined) {
        open = true;
        continue;
      }
      value = expand({ text: value, at: word.at });
    }
    setField(draft, key as Key, value, fault);
  }
  return finish(draft, open, fault);
}

type Fault = (message: string, hint?: string) => never;

function setField(draft: Draft, key: Key, value: string | undefined, fault: Fault): void {
  if (key === 'readonly') draft.readOnly = flag(key, value, fault);
  else if (key === 'readwrite') draft.readOnly = !flag(key, value, fault);
  else if (key === 'required') draft.required = flag(key, value, fault);
  else if (value === undefined) fault(`${key} in --mount needs a value`, `write ${key}=VALUE`);
  else if (key === 'type') draft.type = choice(key, value.toLowerCase(), TYPES, fault);
  else if (key === 'sharing') draft.sharing = choice(key, value.toLowerCase(), SHARING, fault);
  else if (key === 'mode') draft.mode = number(key, value, /^[0-7]+$/, 8, fault);
  else if (key === 'uid' || key === 'gid') draft[key] = number(key, value, /^\d+$/, 10, fault);
  else if (key === 'size')
    draft.sizeBytes = parseByteSize(value) ?? fault(`size ${JSON.stringify(value)} is no size`);
  else if (key === 'env' && value === '') fault('env in --mount needs the name of a variable');
  else draft[key] = value === '' ? undefined : value;
}

function finish(draft: Draft, open: boolean, fault: Fault): RunMount {
  const type = draft.type ?? 'bind';
  // BuildKit takes an origin for a tmpfs or an agent, too, and nothing comes of it.
  const from = type === 'tmpfs' || type === 'ssh' ? undefined : draft.from;
  const mount = {
    type,
    readOnly: draft.readOnly ?? (type !== 'cache' && type !== 'tmpfs'),
    required: draft.required ?? false,
    at: draft.at!,
    ...Object.fromEntries(Object.entries({ ...draft, from }).filter(([, value]) => value !== undefined)),
  } as RunMount;
  if (open) return mount;
  const only = (key: keyof RunMount, types: readonly RunMountType[]) => {
    if (mount[key] !== undefined && mount[key] !== false && !types.includes(type)) {
      fault(`${key === 'sizeBytes' ? 'size' : key} is not for a mount of type ${type}`);
    }
  };
  only('required', ['secret', 'ssh']);
  only('sizeBytes', ['tmpfs']);
  only('sharing', ['cache']);
  only('env', ['secret']);
  only('from', ['bind', 'cache']);
  for (const key of ['mode', 'uid', 'gid'] as const) only(key, ['secret', 'ssh', 'cache']);
  if (type === 'secret') {
    const { source, target, id } = mount;
    if (source === undefined && target === undefined && id === undefined) {
      fault('a secret mount needs an id or a target');
    }
    if (source !== undefined && id !== undefined) fault('a secret mount has either a source or an id');
  }
  if (type === 'ssh' && mount.source !== undefined) fault('an ssh mount has no source');
  return mount;
}

function flag(key: string, value: string | undefined, fault: Fault): boolean {
  return (
    parseBoolean(value ?? 'true') ?? fault(`${key} in --mount is true or false, not ${JSON.stringify(value)}`)
  );
}

function choice<T extends string>(key: string, value: string, choices: readonly T[], fault: Fault): T {
  const found = choices.find((one) => one === value);
  return (
    found ??
    fault(
      `unsupported ${key} ${JSON.stringify(value)} in --mount`,
      didYouMean(value, choices) ?? `use one of ${choices.join(', ')}`,
    )
  );
}

function number(key: string, value: string, form: RegExp, base: number, fault: Fault): number {
  const parsed = Number.parseInt(value, base);
  return form.test(value) && parsed < 2 ** 32
    ? parsed
    : fault(`${key} ${JSON.stringify(value)} is no number`);
}
