import { OcitsError } from '../errors.ts';
import { type Digest, isDigest } from './digest.ts';
import type { HistoryEntry, ImageConfig, RunConfig } from './image-config.ts';
import { parseObject } from './parse-descriptor.ts';
import { parseJson } from './parse-manifest.ts';

/** Real configs have some 10 KiB; the limit is that of a manifest, doubled. */
export const CONFIG_LIMIT_BYTES = 8 * 1024 * 1024;
const HISTORY_LIMIT = 10_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * image-spec config.md: reads an image's configuration, hostile input, and keeps the fields that are known.
 * Throws `hostile` for a field of a wrong type, text with a NUL, or a config over 8 MiB.
 */
export function parseImageConfig(content: Uint8Array): ImageConfig {
  const fields = parseJson(content, 'image config', CONFIG_LIMIT_BYTES);
  const config = fields['config'];
  const history = fields['history'];
  return {
    ...texts(fields, ['created', 'author', 'variant', 'os.version']),
    architecture: requiredText(fields, 'architecture'),
    os: requiredText(fields, 'os'),
    config: config == null ? undefined : parseRunConfig(parseObject(config, 'the image config: config')),
    rootfs: parseRootfs(parseObject(fields['rootfs'], 'the image config: rootfs')),
    history: history == null ? undefined : parseHistory(history),
  };
}

function parseRootfs(fields: Fields): ImageConfig['rootfs'] {
  const diffIds = fields['diff_ids'] ?? [];
  if (fields['type'] !== 'layers') throw hostile('rootfs.type', 'is not "layers"');
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
    throw hostile('rootfs.diff_ids', 'is not a list of digests');
  }
  return { type: 'layers', diff_ids: diffIds as Digest[] };
}

function parseRunConfig(fields: Fields): RunConfig {
  const healthcheck = fields['Healthcheck'];
  const argsEscaped = fields['ArgsEscaped'];
  return {
    ...texts(fields, ['User', 'WorkingDir', 'StopSignal']),
    ...textLists(fields, ['Env', 'Shell', 'OnBuild']),
    ...textLists(fields, ['Entrypoint', 'Cmd']),
    ...sets(fields, ['ExposedPorts', 'Volumes']),
    ...labels(fields['Labels']),
    Healthcheck: healthcheck == null ? undefined : parseObject(healthcheck, 'the image config: Healthcheck'),
    ArgsEscaped: argsEscaped === true ? true : undefined,
  };
}

function parseHistory(value: unknown): readonly HistoryEntry[] {
  if (!Array.isArray(value)) throw hostile('history', 'is not a list');
  if (value.length > HISTORY_LIMIT) throw hostile('history', `has more than ${HISTORY_LIMIT} entries`);
  return value.map((item) => {
    const fields = parseObject(item, 'the image config: history entry');
    const isEmpty = fields['empty_layer'] === true;
    return {
      ...texts(fields, ['created', 'created_by', 'author', 'comment']),
      empty_layer: isEmpty ? true : undefined,
    };
  });
}

function texts<K extends string>(fields: Fields, names: readonly K[]): { [N in K]?: string } {
  const found: { [N in K]?: string } = {};
  for (const name of names) {
    const value = fields[name];
    if (value == null) continue;
    if (!isText(value)) throw hostile(name, 'is not a text');
    found[name] = value;
  }
  return found;
}

function textLists<K extends string>(fields: Fields, names: readonly K[]): { [N in K]?: readonly string[] } {
  const found: { [N in K]?: readonly string[] } = {};
  for (const name of names) {
    const value = fields[name];
    if (value == null) continue;
    if (!Array.isArray(value) || !value.every(isText)) throw hostile(name, 'is not a list of texts');
    found[name] = value;
  }
  return found;
}

/** Maps whose keys alone count. */
function sets<K extends string>(fields: Fields, names: readonly K[]): { [N in K]?: Record<string, object> } {
  const found: { [N in K]?: Record<string, object> } = {};
  for (const name of names) {
    const value = fields[name];
    if (value == null) continue;
    const keys = Object.keys(parseObject(value, `the image config: ${name}`));
    if (!keys.every(isText)) throw hostile(name, 'has a key with a NUL');
    found[name] = Object.fromEntries(keys.map((key) => [key, {}]));
  }
  return found;
}

function labels(value: unknown): { Labels?: Readonly<Record<string, string>> | undefined } {
  if (value == null) return {};
  const entries = Object.entries(parseObject(value, 'the image config: Labels'));
  if (!entries.every(([key, text]) => isText(key) && isText(text))) {
    throw hostile('Labels', 'has a value that is not a text');
  }
  return { Labels: Object.fromEntries(entries) as Record<string, string> };
}

function requiredText(fields: Fields, name: string): string {
  const value = fields[name];
  if (!isText(value)) throw hostile(name, 'is missing');
  return value;
}

/** A NUL would cut a text short where C code reads it. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

function hostile(field: string, what: string): OcitsError {
  return new OcitsError('hostile', `the image config: ${field} ${what}`);
}
