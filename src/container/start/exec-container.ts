import { containerEnvironment } from '../../bundle/process-args.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { execProcess } from '../../runtime/exec/exec-process.ts';
import type { ExecProcess } from '../../runtime/exec/exec-request.ts';
import type { StdioModes } from '../../runtime/terminal/stdio-plan.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState } from '../record/state.ts';
import { hostnameOf } from './etc.ts';
import { checkCommand } from './find-command.ts';
import { containerUser } from './process-user.ts';

export interface ExecOptions {
  readonly command: readonly string[];
  /** Over the container's own. */
  readonly env: readonly string[];
  /** The default is the container's. */
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly terminal: boolean;
  readonly privileged: boolean;
  readonly detach: boolean;
  readonly stdio: StdioModes;
}

/**
 * Starts another process in a running container. The user is looked up in the container's files as they are now.
 * Throws `in-use` where the container does not run, else as `execProcess`.
 */
export async function execInContainer(
  engine: Engine,
  record: ContainerRecord,
  options: ExecOptions,
): Promise<ExecProcess> {
  const { id, name, process } = record;
  if (containerState(engine.paths, id).status !== 'running') {
    throw new OcitsError('in-use', `container ${name} is not running`, {
      hint: `start it: ocits start ${name}`,
    });
  }
  const user = await containerUser(engine, record, options.user ?? process.user, false);
  const { security } = record.isolation;
  const env = containerEnvironment({
    image: process.imageEnv,
    user: [...process.userEnv, ...options.env],
    home: user.home,
    hostname: hostnameOf(record),
    terminal: options.terminal,
  });
  const cwd = options.workdir ?? process.workdir;
  // A process that may mount in the container may have brought the command in.
  if (!security.privileged && security.capAdd.length === 0) {
    await checkCommand(engine, record, { args: options.command, env, cwd });
  }
  return await execProcess(engine.paths, {
    containerId: id,
    folder: containerFolder(engine.paths, id).folder,
    security: options.privileged ? { ...security, privileged: true } : security,
    process: {
      args: options.command,
      env,
      cwd,
      terminal: options.terminal,
      uid: user.uid,
      gid: user.gid,
      additionalGids: user.additionalGids,
      rlimits: process.rlimits,
    },
    stdio: options.stdio,
    detach: options.detach,
  });
}
