/**
 * The room of the commands that change containers, from `create` to `prune`; those that only show them are in
 * `inspect`. Only the table of commands loads them; `container cleanup` is what conmon runs at a container's end.
 * Most of them first clear up what killed processes have left; then they call `container`. Heavy modules are imported
 * only when flags and arguments are right.
 *
 *     $ ocits run --rm --memory 512m app:1 npm test
 *     await sweepContainers(engine, this.call());
 *     const { exitCode } = await runForeground(engine, call, requestFromFlags(flags, args), { stdio, hasTerminal });
 */

import { isatty } from 'node:tty';
import type { Call } from '../../call.ts';
import { checkTerminal, writeCidFile } from '../../cli/argv/flag-files.ts';
import { oclifFlags, toggle, toggleOn } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { CREATE_EXIT_CODES } from '../../cli/exit-codes.ts';
import { forwardSignals } from '../../cli/process/forward-signals.ts';
import { cleanupCommand } from '../../cli/process/self-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { CREATE_FLAGS } from '../../container/flags/create-flags.ts';
import type { CreateRequest } from '../../container/flags/create-request.ts';
import { MISSING_CREATE_FLAGS } from '../../container/flags/missing-create-flags.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import { requestFromFlags } from './request-from-flags.ts';
import { pullFlags } from './run-flags.ts';

interface RunOptions {
  readonly request: CreateRequest;
  readonly pull: PullPolicy;
  readonly onCreated: (id: string) => void;
  readonly proxiesSignals: boolean;
}

export default class Run extends BaseCommand {
  static override summary = 'Make a container from an image and run a command in it';
  static override usage = '[OPTIONS] IMAGE [COMMAND] [ARG...]';
  static override interspersed = false;
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override exitCodes = CREATE_EXIT_CODES;
  static override flags = {
    ...oclifFlags(MISSING_CREATE_FLAGS),
    ...oclifFlags(CREATE_FLAGS),
    ...pullFlags,
    detach: toggle({ char: 'd', description: "run in the background and print the container's ID" }),
    'sig-proxy': toggleOn({ description: 'pass signals on to the container' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Run);
    const request = requestFromFlags(flags, args);
    if (!flags.detach) checkTerminal(flags.tty, flags.interactive);
    const renderer = openRenderer(flags.quiet ? 'quiet' : undefined);
    const call = this.call(renderer);
    const options: RunOptions = {
      request,
      pull: flags.pull ?? 'missing',
      onCreated: (id) => {
        renderer.close();
        writeCidFile(flags.cidfile, id);
      },
      proxiesSignals: flags['sig-proxy'],
    };
    try {
      if (flags.detach) await this.#detached(call, options);
      else await this.#foreground(call, options);
    } finally {
      renderer.close();
    }
  }

  async #detached(call: Call, { request, pull, onCreated }: RunOptions): Promise<void> {
    const { engine } = this;
    const [{ createContainer }, { startContainer }] = await Promise.all([
      import('../../container/create/create-container.ts'),
      import('../../container/start/start-container.ts'),
      sweepContainers(engine, call),
    ]);
    const record = await createContainer(engine, call, request, { pull, startsNow: true });
    onCreated(record.id);
    await startContainer(engine, call, record, { cleanupCommand: cleanupCommand(engine.paths) });
    this.print(record.id);
  }

  async #foreground(call: Call, { request, pull, onCreated, proxiesSignals }: RunOptions): Promise<void> {
    const { engine } = this;
    const [{ runForeground }] = await Promise.all([
      import('../../container/start/run-container.ts'),
      sweepContainers(engine, call),
    ]);
    let stop = () => {};
    const { exitCode } = await runForeground(engine, call, request, {
      stdio: {
        stdin: request.process.openStdin ? 'inherit' : 'ignore',
        stdout: 'inherit',
        stderr: 'inherit',
      },
      hasTerminal: isatty(0),
      pull,
      onCreated: ({ id }) => onCreated(id),
      onStarted: (container) => {
        if (!proxiesSignals) return;
        stop = forwardSignals(container.kill);
        this.signals.release();
      },
    }).finally(() => stop());
    process.exitCode = exitCode;
  }
}
