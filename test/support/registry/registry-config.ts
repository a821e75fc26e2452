import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Call, openCall } from '../../../src/call.ts';
import type { ProgressEvent } from '../../../src/progress.ts';
import { createRegistry, type Registry } from '../../../src/registry/client/registry.ts';
import type { ConfigFolders } from '../../../src/registry/config/config-folders.ts';
import type { RetryPolicy } from '../../../src/registry/http/retry.ts';
import { type BoundRegistry, boundRegistry } from './bound-client.ts';

/** Patience for tests: the same number of attempts as a user has, in milliseconds instead of seconds. */
const FAST_RETRY: RetryPolicy = {
  attempts: 6,
  baseDelayMs: 1,
  maxDelayMs: 4,
  maxRetryAfterMs: 3_000,
  stallMs: 400,
};

/** A host's configuration of registries, all in one temporary folder, empty at first. */
export interface ConfigHost extends AsyncDisposable {
  readonly folder: string;
  readonly folders: ConfigFolders;
  /** What has been reported to `call`. */
  readonly events: ProgressEvent[];
  readonly call: Call;
  /** Writes a file below the folder: `etc/containers/registries.conf`, `home/.docker/config.json`. */
  write(path: string, content: string | object, mode?: number): Promise<string>;
  /** All registries as a process has them. */
  registries(retry?: Partial<RetryPolicy>): Registry;
  /** The same, asked on behalf of `call`. */
  registry(retry?: Partial<RetryPolicy>): BoundRegistry;
}

export async function configHost(overrides: Partial<ConfigFolders> = {}): Promise<ConfigHost> {
  const folder = await mkdtemp(join(tmpdir(), 'ocits-config-'));
  const folders: ConfigFolders = {
    system: join(folder, 'etc'),
    home: join(folder, 'home'),
    config: join(folder, 'home/.config'),
    runtime: join(folder, 'run'),
    registriesConf: undefined,
    authFile: undefined,
    dockerConfig: undefined,
    ...overrides,
  };
  const events: ProgressEvent[] = [];
  const made: Registry[] = [];
  const call = openCall('test', { emit: (event) => void events.push(event) });
  const registries = (retry: Partial<RetryPolicy> = {}): Registry => {
    const registry = createRegistry({ folders, retry: { ...FAST_RETRY, ...retry } });
    made.push(registry);
    return registry;
  };
  return {
    folder,
    folders,
    events,
    async write(path, content, mode = 0o600) {
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, typeof content === 'string' ? content : JSON.stringify(content));
      await chmod(target, mode);
      return target;
    },
    call,
    registries,
    registry: (retry) => boundRegistry(registries(retry), call),
    async [Symbol.asyncDispose]() {
      for (const registry of made) registry[Symbol.dispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An entry of `auths` for a name and a password. */
export function authEntry(user: { readonly username: string; readonly password: string }): { auth: string } {
  return { auth: Buffer.from(`${user.username}:${user.password}`).toString('base64') };
}
