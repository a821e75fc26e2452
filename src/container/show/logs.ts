import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { LOG_FILE } from '../../runtime/conmon/conmon-folder.ts';
import type { LogChunk, LogFilter } from '../../runtime/log/parser.ts';
import { readLog } from '../../runtime/log/read-log.ts';
import { waitForContainer } from '../end/wait-for-container.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState } from '../record/state.ts';

export interface LogOptions extends LogFilter {
  /** Only the last lines: how many. */
  readonly tail?: number | undefined;
  /** Goes on until the container has ended. */
  readonly follow?: boolean | undefined;
}

/**
 * What a container has printed. Throws `unsupported` for one that keeps no log: it was run in the foreground with
 * `--rm`.
 */
export async function* containerLogs(
  { paths }: Engine,
  { signal }: Call,
  { id, name, lifetime }: ContainerRecord,
  options: LogOptions = {},
): AsyncGenerator<LogChunk> {
  const path = join(containerFolder(paths, id).folder, LOG_FILE);
  const { status } = containerState(paths, id);
  if (!existsSync(path) && lifetime.attached && lifetime.autoRemove) {
    throw new OcitsError(
      'unsupported',
      `container ${name} keeps no log: it was run in the foreground with --rm`,
    );
  }
  const { follow, ...rest } = options;
  const isFollowing = follow && status === 'running';
  yield* readLog(path, {
    ...rest,
    signal,
    ...(isFollowing ? { followUntil: waitForContainer(paths, id, signal) } : {}),
  });
}
