import { homedir } from 'node:os';
import { join } from 'node:path';
import { ownUid } from '../../access.ts';

/** Where the configuration of registries is read from; absolute paths. */
export interface ConfigFolders {
  /** `/etc`. */
  readonly system: string;
  readonly home: string;
  /** `XDG_CONFIG_HOME`, `~/.config` by default. */
  readonly config: string;
  /** `XDG_RUNTIME_DIR`, where it is set; `/run/containers/UID` by default, as podman has it. */
  readonly runtime: string;
  /** `CONTAINERS_REGISTRIES_CONF`. */
  readonly registriesConf: string | undefined;
  /** `REGISTRY_AUTH_FILE`. */
  readonly authFile: string | undefined;
  /** `DOCKER_CONFIG`. */
  readonly dockerConfig: string | undefined;
}

/** The folders that the environment names. */
export function configFolders(env: NodeJS.ProcessEnv = process.env): ConfigFolders {
  const home = env['HOME'] || homedir();
  return {
    system: '/etc',
    home,
    config: env['XDG_CONFIG_HOME'] || join(home, '.config'),
    runtime: env['XDG_RUNTIME_DIR'] || join('/run/containers', String(ownUid() ?? 0)),
    registriesConf: env['CONTAINERS_REGISTRIES_CONF'] || undefined,
    authFile: env['REGISTRY_AUTH_FILE'] || undefined,
    dockerConfig: env['DOCKER_CONFIG'] || undefined,
  };
}
