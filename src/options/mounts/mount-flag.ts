import { resolve } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { parseBoolean } from '../boolean.ts';
import { parseByteSize } from '../byte-size.ts';
import { csvFields } from '../csv-fields.ts';
import { splitPair } from '../pair.ts';
import { checkVolumeName } from '../volume-name.ts';
import { cleanTarget, isPropagation, type MountRequest } from './mount-request.ts';
import { parseTmpfsOption } from './tmpfs-flag.ts';

/** The keys that a mount of one type has, after `type`, `source`, `target` and `readonly`. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  bind: ['bind-propagation', 'bind-recursive', 'bind-nonrecursive', 'bind-create-src', 'consistency'],
  volume: ['volume-nocopy', 'volume-label', 'volume-driver', 'consistency'],
  tmpfs: ['tmpfs-size', 'tmpfs-mode'],
};
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};
/** Keys that may stand without a value. */
const FLAGS: readonly string[] = ['readonly', 'bind-nonrecursive', 'bind-create-src', 'volume-nocopy'];
const UNSUPPORTED: readonly string[] = ['volume-opt', 'volume-subpath', 'image-subpath'];

interface Fields {
  readonly text: string;
  readonly source: string | undefined;
  readonly target: string;
  readonly readOnly: boolean;
  values(key: string): readonly string[];
}

/**
 * Reads a value of `--mount`: `type=bind|volume|tmpfs`, `source`, `target`, `readonly` and what the type has besides,
 * in CSV. The source of a bind mount that begins with a dot is taken from `folder`. Throws `invalid-argument` that quotes
 * the fault, `unsupported` for what is not there yet.
 */
export function parseMountFlag(text: string, folder: string): MountRequest {
  const pairs = readPairs(text);
  const last = (key: string) => pairs.findLast(([name]) => name === key)?.[1];
  const type = (last('type') ?? 'volume').toLowerCase();
  if (type === 'image' || type === 'npipe' || type === 'cluster') throw unsupported(text, `type=${type}`);
  if (!Object.hasOwn(KEYS, type))
    throw fault(text, `type ${JSON.stringify(type)} is not bind, volume or tmpfs`);
  const allowed = ['type', 'source', 'target', 'readonly', ...KEYS[type]!];
  const strange = pairs.find(([key]) => !allowed.includes(key));
  if (strange !== undefined)
    throw fault(text, `a mount of type ${type} has no ${JSON.stringify(strange[0])}`);
  const target = last('target');
  if (!target) throw fault(text, 'it has no target');
  const fields: Fields = {
    text,
    source: last('source'),
    target: cleanTarget(target, `--mount ${text}`),
    readOnly: isTrue(text, 'readonly', last('readonly')),
    values: (key) => pairs.filter(([name]) => name === key).map(([, value]) => value),
  };
  if (type === 'bind') return bindMount(fields, folder);
  return type === 'tmpfs' ? tmpfsMount(fields) : volumeMount(fields);
}

function readPairs(text: string): [string, string][] {
  const fields = csvFields(text);
  if (fields === undefined) throw fault(text, 'its quotes do not match');
  return fields.map((field) => {
    const [written, value] = splitPair(field);
    const key = written.trim().toLowerCase();
    if (UNSUPPORTED.includes(key)) throw unsupported(text, key);
    const name = ALIASES[key] ?? key;
    if (value !== undefined) return [name, value];
    if (!FLAGS.includes(name)) throw fault(text, `${JSON.stringify(field)} is not key=value`);
    return [name, 'true'];
  });
}

function bindMount({ text, source, target, readOnly, values }: Fields, folder: string): MountRequest {
  if (!source?.startsWith('/') && !source?.startsWith('.'))
    throw fault(text, `source ${JSON.stringify(source ?? '')} is not an absolute path of the host`);
  const propagation = values('bind-propagation').at(-1)?.toLowerCase();
  if (propagation !== undefined && !isPropagation(propagation)) {
    throw fault(text, `unknown bind-propagation ${JSON.stringify(propagation)}`);
  }
  const recursion = values('bind-recursive').at(-1) ?? 'enabled';
  if (!['enabled', 'disabled', 'writable', 'readonly'].includes(recursion)) {
    throw fault(text, `unknown bind-recursive ${JSON.stringify(recursion)}`);
  }
  if (recursion === 'writable') throw unsupported(text, 'bind-recursive=writable');
  if (recursion === 'readonly' && !readOnly) throw fault(text, 'bind-recursive=readonly needs readonly');
  if (recursion === 'readonly' && propagation !== 'rprivate')
    throw fault(text, 'bind-recursive=readonly needs bind-propagation=rprivate');
  const isFlat =
    recursion === 'disabled' || isTrue(text, 'bind-nonrecursive', values('bind-nonrecursive').at(-1));
  return {
    kind: 'bind',
    source: source.startsWith('.') ? resolve(folder, source) : source,
    target,
    readOnly,
    createSource: isTrue(text, 'bind-create-src', values('bind-create-src').at(-1)),
    recursive: isFlat ? false : undefined,
    propagation,
  };
}

function volumeMount({ text, source, target, readOnly, values }: Fields): MountRequest {
  const driver = values('volume-driver').at(-1);
  if (driver !== undefined && driver !== 'local') throw unsupported(text, `volume-driver=${driver}`);
  if (source) checkVolumeName(source);
  else if (readOnly)
    throw fault(text, 'an anonymous volume cannot be read-only, since nothing could fill it');
  return {
    kind: 'volume',
    name: source || undefined,
    target,
    readOnly,
    copyImage: !isTrue(text, 'volume-nocopy', values('volume-nocopy').at(-1)),
    labels: Object.fromEntries(
      values('volume-label').map((label) => {
        const [name, value = ''] = splitPair(label);
        return [name, value];
      }),
    ),
  };
}

function tmpfsMount({ text, source, target, readOnly, values }: Fields): MountRequest {
  if (source !== undefined) throw fault(text, 'a tmpfs has no source');
  const sizes = values('tmpfs-size').map((value) => {
    const bytes = parseByteSize(value);
    if (bytes === undefined)
      throw fault(text, `tmpfs-size ${JSON.stringify(value)} is not a size such as 64m`);
    return `size=${bytes}`;
  });
  const modes = values('tmpfs-mode').map((value) => parseTmpfsOption(`mode=${value}`, `--mount ${text}`));
  const options = [...sizes, ...modes];
  return { kind: 'tmpfs', target, options: [...(readOnly ? ['ro'] : []), ...options] };
}

function isTrue(text: string, key: string, value: string | undefined): boolean {
  const claimed = parseBoolean(value ?? 'false');
  if (claimed !== undefined) return claimed;
  throw fault(text, `${key} is true or false, not ${JSON.stringify(value)}`);
}

function fault(text: string, why: string): OcitsError {
  return new OcitsError('invalid-argument', `invalid mount ${JSON.stringify(text)}: ${why}`);
}

function unsupported(text: string, what: string): OcitsError {
  return new OcitsError('unsupported', `--mount ${text}: ${what} is not there yet`);
}
