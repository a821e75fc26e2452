import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isOcitsError, OcitsError } from '../errors.ts';
import type { HostPaths } from '../system/paths.ts';
import { exited, runTool, spawnTool } from '../system/spawn.ts';
import { type BundleFolder, writeBundle } from './bundle-folder.ts';
import { conmonArguments } from './conmon-arguments.ts';
import { attachConmon } from './conmon-attach.ts';
import { prepareConmonFolder, removeConmonFiles } from './conmon-folder.ts';
import { type Crun, checkCrunVersion, crunDelete, crunOptions, openCrun } from './crun.ts';
import { type LaunchCommand, launchCommand } from './launcher.ts';
import { requireProgram } from './programs.ts';
import { PID_FILE, pidRecord, writePidRecord } from './records.ts';
import { sendSignal } from './signals.ts';
import { readCrunError, readLaunchErrors, startFailure } from './start-failure.ts';
import { inheritedFds } from './stdio.ts';
import type { RunningContainer, StartRequest, Supervisor } from './supervisor.ts';
import { toolEnvironment } from './tool-environment.ts';
import { waitForExit } from './wait-for-exit.ts';
import { followWindow, withWindow } from './window-size.ts';

/** The descriptor on which conmon tells the container's process ID. */
const SYNC_FD = 3;

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
  await using undo = new AsyncDisposableStack();
  const crun = await openCrun(paths);
  const files = await writeBundle(crun, request);
  const conmonFiles = prepareConmonFolder(paths, folder);
  undo.defer(async () => {
    // Without it the exit command does nothing: this start never was.
    rmSync(join(folder, PID_FILE), { force: true });
    await crunDelete(crun, spec.id);
    removeConmonFiles(paths, folder);
  });
  const command = await launchCommand({
    rootfs: { mounts: request.rootMounts, target: spec.rootfs },
    program: requireProgram('conmon'),
    args: conmonArguments(crun, files, conmonFiles, request),
    errorFile: files.launchErrors,
  });
  const pid = await createContainer(command, files).catch(async (error: unknown) => {
    throw await explained(error, { crun, files, request });
  });
  const record = pidRecord(pid);
  if (record === undefined) throw new OcitsError('tool-failed', `${spec.id} was ended before its start`);
  writePidRecord(folder, record);
  signal?.throwIfAborted();
  const exit = waitForExit(folder);
  const attached = undo.use(await attachConmon(paths, request, exit));
  await runTool(crun.program, [...crunOptions(crun, spec.cgroupsPath), 'start', spec.id], {
    env: toolEnvironment(),
  });
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
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    wait: () => ended,
    kill: async (name) => sendSignal(record, name),
  };
}

/** Starts conmon, which puts itself in the background once crun has created the container; its process ID. */
async function createContainer(command: LaunchCommand, files: BundleFolder): Promise<number> {
  const errors = openSync(files.launchErrors, 'a', 0o600);
  const nullFd = openSync('/dev/null', 'r+');
  const fds: ('pipe' | 'ignore' | number)[] = [nullFd, nullFd, errors, 'pipe'];
  for (const fd of inheritedFds()) if (fd > SYNC_FD) fds[fd] = nullFd;
  for (let fd = SYNC_FD; fd < fds.length; fd++) fds[fd] ??= 'ignore';
  const env = { ...toolEnvironment(), _OCI_SYNCPIPE: String(SYNC_FD) };
  const child = spawnTool(command.program, command.args, fds, { env, detached: true });
  closeSync(errors);
  closeSync(nullFd);
  const exit = exited(child, command.program);
  exit.catch(() => {});
  const answer = await firstLine(child.stdio[SYNC_FD] as Readable);
  const { code, signal } = await exit;
  const { data, message } = parseAnswer(answer);
  if (data > 0) return data;
  throw new OcitsError('tool-failed', message ?? `conmon ended with ${code ?? signal} and said nothing`);
}

/** conmon keeps its end open, so the end of the stream is not waited for. */
async function firstLine(stream: Readable): Promise<string> {
  let answer = '';
  for await (const chunk of stream) {
    answer += String(chunk);
    if (answer.includes('\n')) break;
  }
  return answer.split('\n')[0] ?? '';
}

/** conmon's answer on its sync pipe: `data` is the process ID, or negative with crun's message. */
function parseAnswer(answer: string): { readonly data: number; readonly message?: string } {
  try {
    const { data, message } = JSON.parse(answer) as { data?: number; message?: string };
    return { data: data ?? -1, ...(message === undefined ? {} : { message: message.trim() }) };
  } catch {
    return { data: -1 };
  }
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
  const detail = readLaunchErrors(files.launchErrors) || error.message;
  return new OcitsError('tool-failed', `conmon could not start the container: ${detail}`, { exitCode: 125 });
}
