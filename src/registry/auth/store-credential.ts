import { realpath } from 'node:fs/promises';
import { isErrno, wrapError } from '../../errors.ts';
import { writeFileAtomic } from '../../system/file/atomic-file.ts';
import { withLock } from '../../system/task/lock.ts';
import type { ConfigFolders } from '../config/config-folders.ts';
import {
  type AuthFile,
  authFilePaths,
  type Credential,
  isHostKey,
  primaryAuthFile,
  readAuthFile,
  readEntry,
  registryOfKey,
  serverKey,
} from './auth-file.ts';
import { helperErase, helperStore } from './credential-helper.ts';

/** Where a credential is kept: a file, in which it can be read, or a helper's own store. */
export interface CredentialPlace {
  readonly path: string;
  readonly helper: string | undefined;
}

/**
 * Keeps the credential of `registry` for later, in the helper that the file names for it, else in the file itself
 * (mode 0600, other fields kept, also where two do so at once). Throws `invalid-config`, `permission`, `tool-failed`.
 */
export async function storeCredential(
  registry: string,
  credential: Credential,
  folders: ConfigFolders,
): Promise<CredentialPlace> {
  return await changeAuthFile(primaryAuthFile(folders), async (file) => {
    const helper = helperFor(file, registry);
    if (helper !== undefined) await helperStore(helper, serverKey(registry), credential);
    const entry = helper === undefined ? entryOf(credential) : {};
    const auths = { ...withoutRegistry(file.auths, registry), [serverKey(registry)]: entry };
    return { result: { path: file.path, helper }, content: { ...file.content, auths } };
  });
}

export interface ErasedCredential {
  /** Whether there was one to remove. */
  readonly removed: boolean;
  /** Other files that still have one, which ocits did not write. */
  readonly remaining: readonly string[];
}

/** Takes the credential of `registry` out of the file (or its helper) that a login writes to. */
export async function eraseCredential(registry: string, folders: ConfigFolders): Promise<ErasedCredential> {
  const primary = primaryAuthFile(folders);
  const existing = await readAuthFile(primary);
  const removed = existing !== undefined && (await eraseIn(primary, registry));
  const remaining: string[] = [];
  for (const path of authFilePaths(folders).filter((other) => other !== primary)) {
    const file = await readAuthFile(path);
    if (file !== undefined && hasEntry(file, registry)) remaining.push(path);
  }
  return { removed, remaining };
}

async function eraseIn(path: string, registry: string): Promise<boolean> {
  return await changeAuthFile(path, async (file) => {
    const helper = helperFor(file, registry);
    const erased = helper !== undefined && (await helperErase(helper, serverKey(registry)));
    const result = erased || hasEntry(file, registry);
    const auths = withoutRegistry(file.auths, registry);
    const same = Object.keys(auths).length === Object.keys(file.auths).length;
    return { result, content: same ? undefined : { ...file.content, auths } };
  });
}

/** Reads, changes and writes the file as one step among all processes. */
async function changeAuthFile<T>(
  path: string,
  change: (file: AuthFile) => Promise<{ result: T; content: object | undefined }>,
): Promise<T> {
  try {
    // A symlink stays one: some people keep such files in a repository of their own.
    const target = await realpath(path).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return path;
      throw error;
    });
    return await withLock(`${target}.lock`, { mode: 'exclusive' }, async () => {
      const empty = { path, content: {}, auths: {}, credHelpers: {}, credsStore: undefined };
      const { result, content } = await change((await readAuthFile(target)) ?? empty);
      if (content !== undefined) await writeFileAtomic(target, `${JSON.stringify(content, null, '\t')}\n`);
      return result;
    });
  } catch (error) {
    throw wrapError(error, 'invalid-config', `cannot change ${path}`);
  }
}

function helperFor(file: AuthFile, registry: string): string | undefined {
  const key = Object.keys(file.credHelpers).find((candidate) => registryOfKey(candidate) === registry);
  const own = key === undefined ? undefined : file.credHelpers[key];
  return typeof own === 'string' && own !== '' ? own : file.credsStore;
}

function entryOf(credential: Credential): object {
  if (credential.kind === 'identity-token') return { identitytoken: credential.token };
  const pair = `${credential.username}:${credential.password}`;
  return { auth: Buffer.from(pair).toString('base64') };
}

function withoutRegistry(
  auths: Readonly<Record<string, unknown>>,
  registry: string,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(auths).filter(([key]) => !isFor(key, registry)));
}

function hasEntry(file: AuthFile, registry: string): boolean {
  return Object.entries(file.auths).some(
    ([key, value]) => isFor(key, registry) && readEntry(value, file.path, key) !== undefined,
  );
}

function isFor(key: string, registry: string): boolean {
  return isHostKey(key) && registryOfKey(key) === registry;
}
