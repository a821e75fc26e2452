import { join } from 'node:path';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { HostPaths } from '../../system/paths.ts';
import { identifyProcess } from '../../system/process/process-identity.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import { prepareConmonFolder, removeConmonFiles } from '../conmon/conmon-folder.ts';
import { spawnConmon } from '../conmon/conmon-process.ts';
import { followOutput } from '../conmon/output.ts';
import { waitForExit } from '../conmon/wait-for-exit.ts';
import { crunOptions, openCrun } from '../crun/crun.ts';
import { crunLogOptions, readCrunError } from '../crun/crun-log.ts';
import { writePidRecord } from '../crun/records.ts';
import { sendSignal } from '../crun/send-signal.ts';
import { execFailure } from '../crun/start-failure.ts';
import { prepareExec } from './exec-folder.ts';
import type { ExecProcess, ExecRequest } from './exec-request.ts';
import { promptCrun } from './prompt-crun.ts';

/**
 * `execProcess` on a terminal where we have none, which crun alone cannot do: conmon holds the terminal, and what is
 * printed there comes by its log. Throws as `execProcess`, and `invalid-argument` where input is asked for.
 */
export async function execOnTerminal(paths: HostPaths, request: ExecRequest): Promise<ExecProcess> {
  if (request.stdio.stdin !== 'ignore') {
    throw new OcitsError('invalid-argument', 'the input device is not a terminal', {
      hint: 'leave out -t, or -i',
    });
  }
  const program = requireProgram('conmon');
  await using undo = new UndoStack();
  const crun = await openCrun(paths);
  const files = undo.use(prepareExec(paths, request));
  const { exits, log, conmonPid, sockets, socketId } = prepareConmonFolder(paths, files.folder);
  undo.defer(() => removeConmonFiles(paths, files.folder));
  const runtime = promptCrun(crun.program, [...crunOptions(crun), ...crunLogOptions(files.log)]);
  const args = [
    ...[
      '--api-version',
      '1',
      '--cid',
      request.containerId,
      '--cuuid',
      socketId,
      '--runtime',
      runtime.program,
    ],
    ...['--bundle', files.folder, '--exec', '--exec-process-spec', files.process, '--terminal'],
    ...['--container-pidfile', files.pid, '--conmon-pidfile', conmonPid, '--log-level', 'error'],
    ...['--exit-dir', exits, '--socket-dir-path', sockets, '--log-path', `k8s-file:${log}`],
    ...runtime.args.flatMap((argument) => ['--runtime-arg', argument]),
  ];
  const pid = await spawnConmon({ program, args }, join(files.folder, 'conmon-errors')).catch(
    (error: unknown) => {
      if (!isOcitsError(error, 'tool-failed')) throw error;
      throw execFailure(readCrunError(files.log) || error.message, request.process.args[0] ?? '');
    },
  );
  const record = identifyProcess(pid);
  if (record !== undefined) writePidRecord(files.folder, record);
  const ended = waitForExit(files.folder);
  const output = followOutput({ log, stdio: request.stdio, ended, position: 0 });
  const cleanup = undo.move();
  const result = Promise.all([ended, output.finished])
    .then(([exit]) => exit.exitCode)
    .finally(() => cleanup[Symbol.asyncDispose]());
  result.catch(() => {});
  const { stdout, stderr } = output;
  return {
    pid: record?.pid,
    stdout,
    stderr,
    wait: () => result,
    kill: async (signal) => {
      if (record !== undefined) sendSignal(record, signal);
    },
  };
}
