import { isatty } from 'node:tty';
import { checkTerminal } from '../../cli/argv/flag-files.ts';
import { oclifFlags, text, toggle, values } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { START_EXIT_CODES } from '../../cli/exit-codes.ts';
import { forwardSignals } from '../../cli/process/forward-signals.ts';
import { environmentFile, environmentVariable } from '../../container/flags/create-kinds.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { type ExecOptions, execInContainer } from '../../container/start/exec-container.ts';

export default class Exec extends BaseCommand {
  static override summary = 'Run a command in a running container';
  static override usage = '[OPTIONS] CONTAINER COMMAND [ARG...]';
  static override interspersed = false;
  static override arity = [2, Number.POSITIVE_INFINITY] as const;
  static override exitCodes = START_EXIT_CODES;
  static override flags = {
    detach: toggle({ char: 'd', description: 'leave it to itself in the background' }),
    env: values(environmentVariable, {
      char: 'e',
      description: 'set an environment variable: NAME=value',
    }),
    'env-file': values(environmentFile, {
      names: ['files'],
      description: 'read environment variables from a file',
    }),
    interactive: toggle({ char: 'i', description: 'keep standard input open' }),
    privileged: toggle({ description: 'give the command all capabilities' }),
    tty: toggle({ char: 't', description: 'give the command a terminal' }),
    user: text({ char: 'u', description: 'user: name or ID, with :group' }),
    workdir: text({ char: 'w', description: 'working directory in the container' }),
    ...oclifFlags({ 'detach-keys': { form: 'one', missing: 'end it with Ctrl-C' } }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Exec);
    const { tty, interactive, detach } = flags;
    if (!detach) checkTerminal(tty, interactive);
    const [name, ...command] = args as [string, ...string[]];
    const { engine } = this;
    const options: ExecOptions = {
      command,
      env: [...(flags['env-file'] ?? []).flat(), ...(flags.env ?? [])],
      workdir: flags.workdir,
      user: flags.user,
      terminal: tty && !detach,
      privileged: flags.privileged,
      detach,
      stdio: detach
        ? { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }
        : {
            stdin: interactive || (tty && isatty(0)) ? 'inherit' : 'ignore',
            stdout: 'inherit',
            stderr: 'inherit',
          },
    };
    const started = await execInContainer(engine, await findContainer(engine.paths, name), options);
    const stop = forwardSignals(started.kill);
    this.signals.release();
    process.exitCode = await started.wait().finally(stop);
  }
}
