import { rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimeConfig } from '../../bundle/runtime-config.ts';
import { serializeConfig } from '../../bundle/serialize.ts';
import { hostFacts } from '../launch/read-host-facts.ts';
import type { StartRequest } from '../supervisor.ts';
import type { Crun } from './crun.ts';
import { KILLED_FILE, oomKillCount } from './oom.ts';
import { EXIT_FILE, PID_FILE, type PidRecord, RUNTIME_PID_FILE } from './records.ts';
import { withSeccompFilter } from './seccomp-cache.ts';

/** The paths in a container's folder that a start uses; all absolute. */
export interface BundleFolder {
  /** Has `config.json`: runtime-spec bundle.md. */
  readonly bundle: string;
  readonly runtimePid: string;
  readonly runtimeLog: string;
  readonly launchErrors: string;
  /** For the container's record: how often the kernel had killed for memory, where it has a limit of memory. */
  readonly oomKills: Pick<PidRecord, 'oomKillsBefore'>;
  /** To be called once the container runs. */
  readonly started: () => void;
}

/** Writes the bundle of a container into its folder, and removes what an earlier start has left there. */
export async function writeBundle(
  crun: Crun,
  { folder, spec }: Pick<StartRequest, 'folder' | 'spec'>,
): Promise<BundleFolder> {
  const { config, keep } = withSeccompFilter(crun, runtimeConfig(spec, hostFacts(spec)));
  const paths = {
    bundle: join(folder, 'bundle'),
    runtimePid: join(folder, RUNTIME_PID_FILE),
    runtimeLog: join(folder, 'runtime-log'),
    launchErrors: join(folder, 'launch-errors'),
    oomKills: !spec.resources.memoryBytes ? {} : { oomKillsBefore: oomKillCount() },
    started: () => keep(spec.id),
  };
  for (const stale of [paths.runtimePid, paths.runtimeLog, paths.launchErrors, ...recordPaths(folder)]) {
    rmSync(stale, { force: true });
  }
  await mkdir(paths.bundle, { recursive: true, mode: 0o700 });
  writeFileSync(join(paths.bundle, 'config.json'), serializeConfig(config), { mode: 0o600 });
  return paths;
}

function recordPaths(folder: string): readonly string[] {
  return [PID_FILE, EXIT_FILE, KILLED_FILE].map((name) => join(folder, name));
}
