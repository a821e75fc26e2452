import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import type { ConfigFolders } from '../config/config-folders.ts';

/** What a registry is shown: a name with its password, or a token that its token service knows the account by. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string };

/** A file of docker's config.json format, which containers-auth.json(5) shares; unknown fields are kept. */
export interface AuthFile {
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: string | undefined;
}

const FILE_LIMIT_BYTES = 4 * 1024 * 1024;

/** The file that a login is written to: `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG`, else the user's auth.json. */
export function primaryAuthFile(folders: ConfigFolders): string {
  if (folders.authFile !== undefined) return folders.authFile;
  if (folders.dockerConfig !== undefined) return join(folders.dockerConfig, 'config.json');
  return join(folders.config, 'containers/auth.json');
}

/** The files that credentials are looked for in, in order. `REGISTRY_AUTH_FILE` is the only one where it is set. */
export function authFilePaths(folders: ConfigFolders): readonly string[] {
  if (folders.authFile !== undefined) return [folders.authFile];
  const files = [
    primaryAuthFile(folders),
    join(folders.runtime, 'containers/auth.json'),
    join(folders.runtime, 'auth.json'),
    join(folders.config, 'containers/auth.json'),
    join(folders.home, '.docker/config.json'),
  ];
  return [...new Set(files)];
}

/** Reads such a file; undefined where it is not there. Throws `invalid-config`. */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw wrapError(error, 'invalid-config', `cannot read ${path}`);
  }
  if (text.length > FILE_LIMIT_BYTES) throw new OcitsError('invalid-config', `${path} is too large`);
  return parseAuthFile(text, path);
}

function parseAuthFile(text: string, path: string): AuthFile {
  const content = text.trim() === '' ? {} : parseJson(text, path);
  if (!isObject(content)) throw new OcitsError('invalid-config', `${path} is not a JSON object`);
  const part = (name: string): Readonly<Record<string, unknown>> => {
    const value = content[name] ?? {};
    if (!isObject(value)) throw new OcitsError('invalid-config', `${path}: ${name} is not an object`);
    return value;
  };
  const store = content['credsStore'];
  return {
    path,
    content,
    auths: part('auths'),
    credHelpers: part('credHelpers'),
    credsStore: typeof store === 'string' && store !== '' ? store : undefined,
  };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser quotes the text that it stumbles over, which may be a password.
    throw new OcitsError('invalid-config', `${path} is no valid JSON`);
  }
}

/** The credential of one entry of `auths`; undefined for an empty one. Throws `invalid-config`. */
export function readEntry(value: unknown, path: string, key: string): Credential | undefined {
  if (!isObject(value)) return undefined;
  const token = value['identitytoken'];
  if (typeof token === 'string' && token !== '') return { kind: 'identity-token', token };
  const { auth, username, password } = value;
  if (typeof auth === 'string' && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = decoded.indexOf(':');
    if (colon < 0) {
      throw new OcitsError(
        'invalid-config',
        `${path}: the entry ${JSON.stringify(key)} has no name with a password`,
      );
    }
    return { kind: 'basic', username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  if (typeof username === 'string' && typeof password === 'string' && username !== '') {
    return { kind: 'basic', username, password };
  }
  return undefined;
}

/** The key that Docker keeps the credentials of `registry` by. */
export function serverKey(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** The `host[:port]` that a key such as `https://host/v1/` is for; Docker Hub's names are all `docker.io`. */
export function registryOfKey(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return HUB_NAMES.has(host) ? 'docker.io' : host;
}

/** Whether the key names a registry as such, not a part of it (`host/namespace`). */
export function isHostKey(key: string): boolean {
  return /^(?:https?:\/\/)?[^/]+(?:\/(?:v[12]\/?)?)?$/.test(key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
