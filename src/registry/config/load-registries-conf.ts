import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import type { ConfigFolders } from './config-folders.ts';
import { parseRegistriesConf, type RegistryConf } from './registries-conf.ts';

/** `[[registry]]`, `[registries.…]`, or a list of that name; a short name may be called registry, too. */
const TABLES = /^\s*(?:\[{1,2}\s*["']?registr(?:y|ies)\b|["']?registr(?:y|ies)["']?\s*(?:=\s*[[{]|\.))/m;

/**
 * Reads registries.conf and its drop-in folders by containers-registries.conf.d(5): `CONTAINERS_REGISTRIES_CONF`,
 * else the user's file (with the user's drop-ins alone), else the system's. A later table of the same prefix wins.
 * Files that are not there are no fault. Throws `invalid-config`, `permission`.
 */
export async function loadRegistriesConf(folders: ConfigFolders): Promise<readonly RegistryConf[]> {
  const user = join(folders.config, 'containers');
  const system = join(folders.system, 'containers');
  const dropIns = [join(system, 'registries.conf.d'), join(user, 'registries.conf.d')];
  const userTables =
    folders.registriesConf === undefined ? await readTables(join(user, 'registries.conf')) : undefined;
  const main = userTables ?? (await readTables(folders.registriesConf ?? join(system, 'registries.conf')));
  if (main === undefined && folders.registriesConf !== undefined) {
    throw new OcitsError('invalid-config', `${folders.registriesConf} does not exist`, {
      hint: 'CONTAINERS_REGISTRIES_CONF names it',
    });
  }
  const byPrefix = new Map<string, RegistryConf>();
  const add = (tables: readonly RegistryConf[]) => {
    for (const table of tables) byPrefix.set(table.prefix, table);
  };
  add(main ?? []);
  for (const folder of userTables === undefined ? dropIns : dropIns.slice(1)) {
    for (const file of confFiles(folder)) add((await readTables(file)) ?? []);
  }
  return [...byPrefix.values()];
}

function confFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw wrapError(error, 'invalid-config', `cannot list ${folder}`);
  }
}

async function readTables(file: string): Promise<RegistryConf[] | undefined> {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw wrapError(error, 'invalid-config', `cannot read ${file}`);
  }
  // Distributions ship long files of short names alone; the TOML reader is not loaded for these.
  if (!TABLES.test(source)) return [];
  return parseRegistriesConf(await parseToml(source, file), file);
}

async function parseToml(source: string, file: string): Promise<unknown> {
  const { default: toml } = await import('@iarna/toml');
  try {
    return toml.parse(source);
  } catch (error) {
    const { line, col } = error as { line?: number | undefined; col?: number | undefined };
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new OcitsError('invalid-config', `${file} is no valid TOML: ${message}`, {
      cause: error,
      ...(line === undefined ? {} : { location: { file, line: line + 1, column: (col ?? 0) + 1 } }),
    });
  }
}
