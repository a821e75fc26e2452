import type { ConfigFolders } from '../config/config-folders.ts';
import {
  type AuthFile,
  authFilePaths,
  type Credential,
  isHostKey,
  readAuthFile,
  readEntry,
  registryOfKey,
  serverKey,
} from './auth-file.ts';
import { helperGet } from './credential-helper.ts';

/** What was found for a registry, and why that. */
export interface ChosenCredential {
  readonly credential: Credential | undefined;
  /** Where it came from, for a user: `alice by /root/.docker/config.json`. Undefined where there is none. */
  readonly source: string | undefined;
  /** What decided, for `--debug`. */
  readonly reason: string;
}

/**
 * The room of authentication: whose credential goes to which registry, the challenges that registries give, and the
 * tokens that are got for them. Sessions and logins call it, and the commands `login` and `logout`, which store what a
 * user types. It sends a credential to nobody but the registry and its token service.
 *
 *     const { credential, reason } = await findCredential('registry.example', 'me/app', folders, call.signal);
 *
 * The credential for a repository of a registry: containers-auth.json(5) says where it is looked for, and that the
 * longest key that the name begins with counts. A helper for the registry (`credHelpers`) goes before `auths`, those
 * before a helper for all (`credsStore`). Throws `invalid-config`, `missing-program`, `tool-failed`.
 */
export async function findCredential(
  registry: string,
  path: string,
  folders: ConfigFolders,
  signal?: AbortSignal,
): Promise<ChosenCredential> {
  const looked: string[] = [];
  for (const filePath of authFilePaths(folders)) {
    const file = await readAuthFile(filePath);
    if (file === undefined) continue;
    looked.push(filePath);
    const found = await findInFile(file, registry, path, signal);
    if (found !== undefined) return found;
  }
  const where = looked.length === 0 ? 'there is no file of credentials' : `none in ${looked.join(', ')}`;
  return { credential: undefined, source: undefined, reason: `no credentials for ${registry}: ${where}` };
}

async function findInFile(
  file: AuthFile,
  registry: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ChosenCredential | undefined> {
  const helperKey = Object.keys(file.credHelpers).find((key) => registryOfKey(key) === registry);
  const helper = helperKey === undefined ? undefined : file.credHelpers[helperKey];
  if (typeof helper === 'string' && helper !== '') {
    return await askHelper(helper, registry, `credHelpers of ${file.path}`, signal);
  }
  for (const key of matchingKeys(Object.keys(file.auths), registry, path)) {
    const credential = readEntry(file.auths[key], file.path, key);
    if (credential === undefined) continue;
    const source = `${who(credential)} by ${file.path}`;
    return {
      credential,
      source,
      reason: `credentials for ${registry}: ${source}, entry ${JSON.stringify(key)}`,
    };
  }
  if (file.credsStore === undefined) return undefined;
  const stored = await askHelper(file.credsStore, registry, `credsStore of ${file.path}`, signal);
  return stored.credential === undefined ? undefined : stored;
}

/** The keys that are for this repository, the longest part of its name first, the registry as such last. */
function matchingKeys(keys: readonly string[], registry: string, path: string): string[] {
  const name = `${registry}/${path}`;
  const parts = keys.filter((key) => !isHostKey(key) && (name === key || name.startsWith(`${key}/`)));
  parts.sort((a, b) => b.length - a.length);
  const hosts = keys.filter((key) => isHostKey(key) && registryOfKey(key) === registry);
  hosts.sort((a, b) => Number(b === serverKey(registry)) - Number(a === serverKey(registry)));
  return [...parts, ...hosts];
}

async function askHelper(
  helper: string,
  registry: string,
  setting: string,
  signal: AbortSignal | undefined,
): Promise<ChosenCredential> {
  const credential = await helperGet(helper, serverKey(registry), signal);
  const program = `docker-credential-${helper}`;
  if (credential === undefined) {
    const reason = `no credentials for ${registry}: ${program} (${setting}) has none`;
    return { credential, source: undefined, reason };
  }
  const source = `${who(credential)} by ${program}`;
  return { credential, source, reason: `credentials for ${registry}: ${source} (${setting})` };
}

function who(credential: Credential): string {
  return credential.kind === 'basic' ? credential.username : 'an identity token';
}
