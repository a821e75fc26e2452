/**
 * The room of containers that outlive their command: conmon watches them, keeps the log and the terminal, and runs
 * the exit command. `container` starts them here and asks how they ended, `exec` has it for terminals. Nothing of
 * ours stays running; the files in the container's folder say all that a later process must know.
 *
 *     const running = await createConmonSupervisor(paths).start({ folder, spec, rootMounts, stdio, exitCommand });
 *     const { exitCode } = await waitForExit(folder, signal);
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { HostPaths } from '../../system/paths.ts';
import { identifyProcess } from '../../system/process/process-identity.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import { type BundleFolder, writeBundle } from '../crun/bundle-folder.ts';
import { type Crun, checkCrunVersion, crunDelete, openCrun, runCrun } from '../crun/crun.ts';
import { readCrunError } from '../crun/crun-log.ts';
import { PID_FILE, writePidRecord } from '../crun/records.ts';
import { signalContainer } from '../crun/send-signal.ts';
import { readLaunchErrors, startFailure } from '../crun/start-failure.ts';
import { launchCommand } from '../launch/launcher.ts';
import type { RunningContainer, StartRequest, Supervisor } from '../supervisor.ts';
import { followWindow, withWindow } from '../terminal/window-size.ts';
import { conmonArguments } from './arguments.ts';
import { attachConmon } from './attach.ts';
import { prepareConmonFolder, removeConmonFiles } from './conmon-folder.ts';
import { spawnConmon } from './conmon-process.ts';
import { inConmonScope } from './systemd-scope.ts';
import { waitForExit } from './wait-for-exit.ts';

/**
 * Runs a container under conmon, which watches it, keeps its log (`log`, in the `k8s-file` format) and its terminal,
 * and runs the exit command at the end. Nothing of ours has to live on after `start`. With streams that are not
 * `ignore`, output follows the log, and input goes to conmon's socket.
 */
export function createConmonSupervisor(paths: HostPaths): Supervisor {
  return { start: (request) => startConmon(paths, withWindow(request)) };
}

async function startConmon(paths: HostPaths, request: StartRequest): Promise<RunningContainer> {
  const { folder, spec, stdio, signal } = request;
  signal?.throwIfAborted();
  await using undo = new UndoStack();
  const crun = await openCrun(paths);
  const files = await writeBundle(crun, request);
  const conmonFiles = prepareConmonFolder(paths, folder);
  undo.defer(async () => {
    // Without that file the exit command does nothing, as if there had been no start.
    rmSync(join(folder, PID_FILE), { force: true });
    await crunDelete(crun, spec.id).catch(() => {});
    removeConmonFiles(paths, folder);
  });
  const command = await launchCommand({
    rootfs: { mounts: request.rootMounts, target: spec.rootfs },
    program: requireProgram('conmon'),
    args: conmonArguments(crun, files, conmonFiles, request),
    errorFile: files.launchErrors,
  });
  const pid = await spawnConmon(inConmonScope(command, spec.id, spec.cgroupsPath), files.launchErrors).catch(
    async (error: unknown) => {
      throw await explained(error, { crun, files, request });
    },
  );
  const record = identifyProcess(pid);
  if (record === undefined) throw new OcitsError('tool-failed', `${spec.id} was ended before its start`);
  writePidRecord(folder, { ...record, ...files.oomKills });
  signal?.throwIfAborted();
  const waiting = new AbortController();
  undo.defer(() => waiting.abort());
  const exit = waitForExit(folder, waiting.signal);
  exit.catch(() => {});
  const attached = undo.use(await attachConmon(paths, request, exit));
  await runCrun(crun, ['start', spec.id]);
  undo.move();
  files.started();
  const follower = spec.process.terminal && stdio.stdin === 'inherit' ? followWindow(pid) : undefined;
  const ended = Promise.all([exit, attached.finished])
    .then(([result]) => result)
    .finally(() => follower?.[Symbol.dispose]());
  ended.catch(() => {});
  const { stdin, stdout, stderr } = attached;
  return {
    pid,
    stdin,
    stdout,
    stderr,
    wait: () => ended,
    kill: async (name) => signalContainer(folder, name),
    release: () => waiting.abort(),
  };
}

/** The reason behind conmon's failure, by what crun or mount have written. */
async function explained(
  error: unknown,
  {
    crun,
    files,
    request,
  }: { readonly crun: Crun; readonly files: BundleFolder; readonly request: StartRequest },
): Promise<unknown> {
  if (!isOcitsError(error, 'tool-failed')) return error;
  const crunError = readCrunError(files.runtimeLog);
  if (crunError !== '') {
    const failure = startFailure(crunError, request.spec.process.args[0] ?? '');
    if (failure.code === 'tool-failed') await checkCrunVersion(crun.program);
    return failure;
  }
  await checkCrunVersion(crun.program);
  const detail = readLaunchErrors(files.launchErrors) || error.message;
  return new OcitsError('tool-failed', `conmon could not start the container: ${detail}`, { exitCode: 125 });
}
