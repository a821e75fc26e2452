import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { isUnwritable, OcitsError } from '../../errors.ts';
import type { HostPaths } from '../../system/paths.ts';
import { identifyProcess } from '../../system/process/process-identity.ts';
import { type Exit, exited, spawnTool } from '../../system/process/spawn.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import { launchCommand } from '../launch/launcher.ts';
import { toolEnvironment } from '../launch/tool-environment.ts';
import type { ExitRecord, RunningContainer, StartRequest, Supervisor } from '../supervisor.ts';
import { passOnLeftOutput } from '../terminal/left-output.ts';
import { type ChildStdio, childStdio } from '../terminal/stdio.ts';
import type { StdioModes } from '../terminal/stdio-plan.ts';
import { followWindow, withWindow } from '../terminal/window-size.ts';
import { type BundleFolder, writeBundle } from './bundle-folder.ts';
import { type Crun, checkCrunVersion, crunDelete, crunOptions, openCrun } from './crun.ts';
import { crunLogOptions, readCrunError, readLeftOutput } from './crun-log.ts';
import { wasOomKilled } from './oom.ts';
import { writeExitRecord, writePidRecord } from './records.ts';
import { readRuntimePid, watchRuntimePid } from './runtime-pid.ts';
import { signalContainer, signalExitCode } from './send-signal.ts';
import { readLaunchErrors, startFailure } from './start-failure.ts';

/** How long a start that is interrupted may take to come to its end by itself. */
const INTERRUPT_GRACE_MS = 5000;

/** A container's crun, under way. */
interface Run {
  readonly request: StartRequest;
  readonly files: BundleFolder;
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
}

/**
 * Runs crun as a child, on our own descriptors or on pipes. The child has a session of its own: what the terminal
 * sends to its foreground processes reaches us alone, and forwarding it is the caller's. Killing ocits leaves the
 * container running. A request's `signal` ends a start that is under way; once the container runs, `kill` it.
 */
export function createDirectSupervisor(paths: HostPaths): Supervisor {
  return { start: (request) => startDirect(paths, withWindow(request)) };
}

async function startDirect(paths: HostPaths, request: StartRequest): Promise<RunningContainer> {
  const { folder, signal } = request;
  signal?.throwIfAborted();
  if (request.spec.process.terminal && !(request.stdio.stdin === 'inherit' && isatty(0))) {
    throw new OcitsError('internal', 'a terminal without one of our own is for conmon');
  }
  await using undo = new UndoStack();
  const crun = await openCrun(paths);
  // Making pipes waits for a program, so the bundle is written meanwhile.
  const preparing = childStdio(crunStdio(request), folder, { isTerminal: request.spec.process.terminal });
  undo.defer(async () => (await preparing.catch(() => undefined))?.[Symbol.dispose]());
  const [stdio, files] = await Promise.all([preparing, writeBundle(crun, request)]);
  using watcher = watchRuntimePid(folder);
  const run = await spawnCrun(request, crun, files, stdio);
  undo.defer(() => stop(run, crun));
  const seen = Promise.race([watcher.pid, run.exit.then(() => readRuntimePid(folder))]);
  const pid = await interruptible(seen, signal);
  if (pid === undefined) throw await failure(run, crun);
  files.started();
  signal?.throwIfAborted();
  const container = runningContainer(run, crun, pid, stdio);
  undo.move();
  return container;
}

/** On a terminal the container writes there, and what crun itself says is in its log. */
function crunStdio({ spec, stdio }: StartRequest): StdioModes {
  return spec.process.terminal && stdio.stderr === 'inherit' ? { ...stdio, stderr: 'ignore' } : stdio;
}

async function spawnCrun(
  request: StartRequest,
  crun: Crun,
  files: BundleFolder,
  stdio: ChildStdio,
): Promise<Run> {
  const { spec, rootMounts } = request;
  const options = [...crunOptions(crun, spec.cgroupsPath), ...crunLogOptions(files.runtimeLog)];
  const { program, args } = await launchCommand({
    rootfs: { mounts: rootMounts, target: spec.rootfs },
    program: crun.program,
    args: [...options, 'run', '--bundle', files.bundle, '--pid-file', files.runtimePid, spec.id],
    errorFile: files.launchErrors,
  });
  const child = spawnTool(program, args, [...stdio.fds], { env: toolEnvironment(), detached: true });
  stdio.spawned();
  const exit = exited(child, program);
  exit.catch(() => {});
  return { request, files, child, exit };
}

/** An interrupted start first comes to its end, so that what it has made can be found and removed. */
async function interruptible<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () =>
    void delay(INTERRUPT_GRACE_MS, undefined, { ref: false }).then(() => reject(signal.reason));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Undoes a start that has failed. Failures of the undoing are not told: the first one is what matters. */
async function stop(run: Run, crun: Crun): Promise<void> {
  await crunDelete(crun, run.request.spec.id).catch(() => {});
  run.child.kill('SIGKILL');
  await run.exit.catch(() => {});
}

/** Why crun has ended without a container. */
async function failure(run: Run, crun: Crun): Promise<OcitsError> {
  const { code, signal } = await run.exit;
  const mountError = readLaunchErrors(run.files.launchErrors);
  if (mountError !== '') {
    return new OcitsError('tool-failed', `the container's root cannot be mounted: ${mountError}`, {
      exitCode: 125,
    });
  }
  const message = readCrunError(run.files.runtimeLog) || `it ended with ${code ?? signal} and said nothing`;
  const error = startFailure(message, run.request.spec.process.args[0] ?? '');
  if (error.code === 'tool-failed') await checkCrunVersion(crun.program);
  return error;
}

function runningContainer(run: Run, crun: Crun, pid: number, stdio: ChildStdio): RunningContainer {
  const { folder, spec, stdio: modes } = run.request;
  const process = identifyProcess(pid);
  const record = process === undefined ? undefined : { ...process, ...run.files.oomKills };
  if (record !== undefined) writePidRecord(folder, record);
  const hasWindow = record !== undefined && spec.process.terminal && modes.stdin === 'inherit';
  const follower = hasWindow ? followWindow(pid) : undefined;
  const ended = run.exit.then(async (exit) => {
    follower?.[Symbol.dispose]();
    // Somebody killed crun, and it has cleared nothing away.
    if (exit.signal !== null) await crunDelete(crun, spec.id);
    const result = exitRecord(folder, run.files, exit);
    keepExit(folder, result);
    await stdio.finish();
    if (spec.process.terminal) await passOnLeftOutput(readLeftOutput(run.files.runtimeLog));
    return result;
  });
  ended.catch(() => {});
  const { stdin, stdout, stderr } = stdio;
  return {
    pid,
    stdin,
    stdout,
    stderr,
    wait: () => ended,
    kill: async (signal) => {
      if (record !== undefined) signalContainer(folder, signal);
    },
  };
}

/** On a full disk it is known to whoever waits here, and to nobody else. */
function keepExit(folder: string, result: ExitRecord): void {
  try {
    writeExitRecord(folder, result);
  } catch (error) {
    if (!isUnwritable(error)) throw error;
  }
}

function exitRecord(folder: string, { oomKills }: BundleFolder, { code, signal }: Exit): ExitRecord {
  const exitCode = code ?? signalExitCode(signal!);
  const oomKilled = wasOomKilled(folder, oomKills, exitCode);
  return { exitCode, oomKilled, finishedAt: new Date().toISOString() };
}
