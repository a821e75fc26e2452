import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import type { ConfigFolders } from './config-folders.ts';

/** What certs.d has for one registry, as PEM. */
export interface TlsFiles {
  readonly authorities: readonly string[];
  readonly client?: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * containers-certs.d(5): the certificate authorities (`*.crt`) and the client certificate (`*.cert` with its
 * `*.key`) for `host[:port]`. The user's folder goes before the system's, containers' before Docker's; the first
 * folder that exists is the one. Throws `invalid-config` for a certificate without its key.
 */
export function readTlsFiles(host: string, folders: ConfigFolders): TlsFiles {
  const candidates = [
    join(folders.config, 'containers/certs.d', host),
    join(folders.home, '.docker/certs.d', host),
    join(folders.system, 'containers/certs.d', host),
    join(folders.system, 'docker/certs.d', host),
  ];
  for (const folder of candidates) {
    const names = listFolder(folder);
    if (names !== undefined) return readFolder(folder, names.sort());
  }
  return { authorities: [] };
}

function listFolder(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw wrapError(error, 'invalid-config', `cannot list ${folder}`);
  }
}

function readFolder(folder: string, names: readonly string[]): TlsFiles {
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const authorities = names.filter((name) => name.endsWith('.crt')).map(read);
  const certificate = names.find((name) => name.endsWith('.cert'));
  if (certificate === undefined) return { authorities };
  const key = certificate.replace(/cert$/, 'key');
  if (!names.includes(key)) {
    throw new OcitsError('invalid-config', `${join(folder, certificate)} has no key ${key} beside it`);
  }
  return { authorities, client: { cert: read(certificate), key: read(key) } };
}
