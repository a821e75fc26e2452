import { OcitsError } from '../../errors.ts';

type MirrorUse = 'all' | 'digest-only' | 'tag-only';

/** The one address of a token service that may be told credentials, whatever the way there. */
export interface TrustedRealm {
  /** http or https, without a query. */
  readonly url: string;
  /** The file that says so. */
  readonly file: string;
}

interface MirrorConf {
  /** `host[:port][/path]`: what stands in place of the registry's prefix. */
  readonly location: string;
  readonly insecure: boolean;
  readonly use: MirrorUse;
  readonly trustedRealm: TrustedRealm | undefined;
}

/** One `[[registry]]` table of containers-registries.conf(5). */
export interface RegistryConf {
  /** What a reference begins with to be meant: `host[:port][/path…]` or `*.host`. */
  readonly prefix: string;
  /** Undefined for a wildcard prefix without rewriting. */
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorConf[];
  /** `trusted-realm`, a key of ocits' own; other tools pass over it. */
  readonly trustedRealm: TrustedRealm | undefined;
  /** The file that says so. */
  readonly file: string;
}

/**
 * Reads the `[[registry]]` tables (version 2) and the `[registries.insecure]` and `[registries.block]` lists
 * (version 1) of a parsed registries.conf. Throws `invalid-config`, naming the file and the key.
 */
export function parseRegistriesConf(document: unknown, file: string): RegistryConf[] {
  const root = table(document, file, 'the file');
  const version2 = list(root['registry'], file, 'registry').map((value, index) =>
    parseRegistry(table(value, file, `registry[${index}]`), file, `registry[${index}]`),
  );
  const lists = root['registries'] === undefined ? {} : table(root['registries'], file, 'registries');
  return [...version2, ...parseVersion1(lists, file)];
}

function parseRegistry(fields: Table, file: string, key: string): RegistryConf {
  const given = text(fields['location'], file, `${key}.location`);
  const prefix = text(fields['prefix'], file, `${key}.prefix`) ?? given;
  if (prefix === undefined) throw fault(file, key, 'has neither prefix nor location');
  const location = given ?? (prefix.startsWith('*.') ? undefined : prefix);
  if (given !== undefined) checkName(given, file, `${key}.location`, false);
  checkName(prefix, file, `${key}.prefix`, true);
  const digestOnly = flag(fields['mirror-by-digest-only'], file, `${key}.mirror-by-digest-only`);
  return {
    prefix,
    location,
    insecure: flag(fields['insecure'], file, `${key}.insecure`),
    blocked: flag(fields['blocked'], file, `${key}.blocked`),
    mirrors: list(fields['mirror'], file, `${key}.mirror`).map((value, index) => {
      const name = `${key}.mirror[${index}]`;
      return parseMirror(table(value, file, name), file, name, digestOnly);
    }),
    trustedRealm: trustedRealm(fields, file, key),
    file,
  };
}

function parseMirror(fields: Table, file: string, key: string, digestOnly: boolean): MirrorConf {
  const location = text(fields['location'], file, `${key}.location`);
  if (location === undefined) throw fault(file, `${key}.location`, 'is missing');
  checkName(location, file, `${key}.location`, false);
  const use = text(fields['pull-from-mirror'], file, `${key}.pull-from-mirror`) ?? '';
  if (use !== '' && digestOnly) {
    throw fault(file, `${key}.pull-from-mirror`, 'cannot stand beside mirror-by-digest-only');
  }
  if (use !== '' && use !== 'all' && use !== 'digest-only' && use !== 'tag-only') {
    throw fault(file, `${key}.pull-from-mirror`, 'is not "all", "digest-only" or "tag-only"');
  }
  return {
    location,
    insecure: flag(fields['insecure'], file, `${key}.insecure`),
    use: use === '' ? (digestOnly ? 'digest-only' : 'all') : use,
    trustedRealm: trustedRealm(fields, file, key),
  };
}

function trustedRealm(fields: Table, file: string, table: string): TrustedRealm | undefined {
  const key = `${table}.trusted-realm`;
  const value = fields['trusted-realm'];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw fault(file, key, 'is not a string');
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isPlain =
    url !== undefined && /^https?:$/.test(url.protocol) && url.href === url.origin + url.pathname;
  if (!isPlain) {
    throw fault(
      file,
      key,
      `is ${JSON.stringify(value)}, but wanted is http://host[:port]/path of a token service`,
    );
  }
  return { url: url.href, file };
}

function parseVersion1(lists: Table, file: string): RegistryConf[] {
  const names = (key: string) => {
    const fields = lists[key] === undefined ? {} : table(lists[key], file, `registries.${key}`);
    return list(fields['registries'], file, `registries.${key}.registries`).map((value) => {
      const name = text(value, file, `registries.${key}.registries`) ?? '';
      checkName(name, file, `registries.${key}.registries`, false);
      return name;
    });
  };
  const insecure = new Set(names('insecure'));
  const blocked = new Set(names('block'));
  return [...new Set([...insecure, ...blocked])].map((name) => ({
    prefix: name,
    location: name,
    insecure: insecure.has(name),
    blocked: blocked.has(name),
    mirrors: [],
    trustedRealm: undefined,
    file,
  }));
}

type Table = Readonly<Record<string, unknown>>;

function table(value: unknown, file: string, key: string): Table {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fault(file, key, 'is not a table');
  }
  return value as Table;
}

function list(value: unknown, file: string, key: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw fault(file, key, 'is not a list');
  return value;
}

/** A string without the slash that may end it; undefined where it is absent or empty. */
function text(value: unknown, file: string, key: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw fault(file, key, 'is not a string');
  const trimmed = value.replace(/\/+$/, '');
  return trimmed === '' ? undefined : trimmed;
}

function flag(value: unknown, file: string, key: string): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw fault(file, key, 'is neither true nor false');
  return value;
}

const HOST = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?`;
const NAME = new RegExp(`^${HOST}(?:/[^\\s?#]*)?$`);
const WILDCARD = new RegExp(`^\\*\\.${HOST}$`);

function checkName(name: string, file: string, key: string, wildcard: boolean): void {
  if (NAME.test(name) && !name.includes('://')) return;
  if (wildcard && WILDCARD.test(name)) return;
  const wanted = wildcard ? 'host[:port][/path] or *.host' : 'host[:port][/path]';
  throw fault(file, key, `is ${JSON.stringify(name)}, but wanted is ${wanted}, without a scheme`);
}

function fault(file: string, key: string, why: string): OcitsError {
  return new OcitsError('invalid-config', `${file}: ${key} ${why}`, {
    hint: 'see containers-registries.conf(5)',
  });
}
