import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execConfig } from '../../bundle/runtime-config.ts';
import { serializeConfig } from '../../bundle/serialize.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import type { HostPaths } from '../../system/paths.ts';
import { RUNTIME_PID_FILE } from '../crun/records.ts';
import { hostFacts } from '../launch/read-host-facts.ts';
import { windowSize } from '../terminal/window-size.ts';
import type { ExecRequest } from './exec-request.ts';

/** The files of one `exec`; disposing them removes the folder. */
export interface ExecFiles extends Disposable {
  readonly folder: string;
  /** runtime-spec config.md#process. */
  readonly process: string;
  readonly pid: string;
  /** What crun says when it fails. */
  readonly log: string;
}

/** Makes a folder for an `exec` in the run folder, where there is room when the disk is full, with the process in it. */
export function prepareExec({ run }: HostPaths, { process, security }: ExecRequest): ExecFiles {
  const consoleSize = process.consoleSize ?? windowSize();
  const sized = consoleSize === undefined ? process : { ...process, consoleSize };
  // The seccomp filter is the container's own: crun has kept it.
  const host = hostFacts({
    devices: [],
    resources: {},
    security: { ...security, seccomp: 'unconfined', privileged: false },
  });
  const config = serializeConfig(execConfig({ security }, sized, host));
  const folder = temporaryName(run);
  mkdirSync(folder, { mode: 0o700 });
  const files = {
    folder,
    process: join(folder, 'process.json'),
    pid: join(folder, RUNTIME_PID_FILE),
    log: join(folder, 'runtime-log'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
  writeFileSync(files.process, config, { mode: 0o600 });
  return files;
}
