/**
 * The room of `exec`: another process in a container that runs, on our descriptors, on pipes, or on a terminal that
 * conmon holds. Only `container/start` calls it, which has settled user, environment and command before. It keeps no
 * record: its files go when the process ends.
 *
 *     const process = await execProcess(paths, { containerId, folder, security, process: spec, stdio });
 *     const exitCode = await process.wait();
 */

import { isatty } from 'node:tty';
import type { OcitsError } from '../../errors.ts';
import type { HostPaths } from '../../system/paths.ts';
import { identifyProcess, isRunning } from '../../system/process/process-identity.ts';
import { type Exit, exited, spawnTool } from '../../system/process/spawn.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import { crunOptions, openCrun } from '../crun/crun.ts';
import { crunLogOptions, readCrunError, readLeftOutput } from '../crun/crun-log.ts';
import { readPidRecord } from '../crun/records.ts';
import { readRuntimePid, watchRuntimePid } from '../crun/runtime-pid.ts';
import { sendSignal, signalExitCode } from '../crun/send-signal.ts';
import { execFailure } from '../crun/start-failure.ts';
import { toolEnvironment } from '../launch/tool-environment.ts';
import { passOnLeftOutput } from '../terminal/left-output.ts';
import { openContainerNull } from '../terminal/null-device.ts';
import { childStdio } from '../terminal/stdio.ts';
import { followWindow } from '../terminal/window-size.ts';
import { prepareExec } from './exec-folder.ts';
import { execOnTerminal } from './exec-on-terminal.ts';
import type { ExecProcess, ExecRequest } from './exec-request.ts';
import { calmCrun, promptCrun } from './prompt-crun.ts';

/**
 * Starts another process in a running container, by crun on our own descriptors or on pipes. The size of a terminal
 * follows ours. Throws
 * `not-found` where the command is not there (exit code 127), `not-executable` (126), `hostile` for a working
 * directory below /proc, and `tool-failed` else.
 */
export async function execProcess(paths: HostPaths, request: ExecRequest): Promise<ExecProcess> {
  const { process, stdio: modes, detach } = request;
  if (process.terminal && detach !== true && !(modes.stdin === 'inherit' && isatty(0))) {
    return await execOnTerminal(paths, request);
  }
  const crun = await openCrun(paths);
  await using undo = new UndoStack();
  const files = undo.use(prepareExec(paths, request));
  const openNull = () => containerNull(request.folder);
  const stdio = undo.use(await childStdio(modes, files.folder, { isTerminal: process.terminal, openNull }));
  using watcher = watchRuntimePid(files.folder);
  const args = [
    ...[...crunOptions(crun), ...crunLogOptions(files.log), 'exec', '--pid-file', files.pid],
    ...['--process', files.process, ...(request.detach === true ? ['--detach'] : []), request.containerId],
  ];
  const command = process.terminal ? promptCrun(crun.program, args) : { program: crun.program, args };
  const child = spawnTool(command.program, command.args, [...stdio.fds], {
    env: toolEnvironment(),
    detached: true,
  });
  stdio.spawned();
  const exit = exited(child, command.program);
  exit.catch(() => {});
  const pid = await Promise.race([watcher.pid, exit.then(() => readRuntimePid(files.folder))]);
  const failure = () => execFailure(readCrunError(files.log), request.process.args[0] ?? '');
  if (pid === undefined) {
    await exit;
    throw failure();
  }
  undo.move();
  if (process.terminal && child.pid !== undefined) void calmCrun(child.pid);
  const record = request.detach === true ? undefined : identifyProcess(pid);
  const hasWindow = record !== undefined && request.process.terminal;
  const follower = hasWindow ? followWindow(pid) : undefined;
  const result = exit
    .then(async (ended) => {
      await stdio.finish();
      const code = exitCode(ended, failure);
      if (process.terminal) await passOnLeftOutput(readLeftOutput(files.log));
      return code;
    })
    .finally(() => {
      follower?.[Symbol.dispose]();
      files[Symbol.dispose]();
    });
  result.catch(() => {});
  const { stdin, stdout, stderr } = stdio;
  return {
    pid: record?.pid,
    stdin,
    stdout,
    stderr,
    wait: () => result,
    kill: async (signal) => {
      if (record !== undefined) sendSignal(record, signal);
    },
  };
}

/** A null device of the container's own: crun makes the process's user its owner. */
function containerNull(folder: string): number | undefined {
  const record = readPidRecord(folder);
  return record !== undefined && isRunning(record) ? openContainerNull(record.pid) : undefined;
}

/** crun ends with 1 where it could not become the command, and says so in its log. */
function exitCode({ code, signal }: Exit, failure: () => OcitsError): number {
  if (code === null) return signalExitCode(signal!);
  if (code !== 1) return code;
  const error = failure();
  if (error.code !== 'tool-failed') throw error;
  return code;
}
