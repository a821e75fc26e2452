import { isatty } from 'node:tty';
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
import { openSession, type Session } from '../../session.ts';
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
    'no-healthcheck': toggle({ description: 'do without the health check of the image', hidden: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Run);
    const request = requestFromFlags(flags, args);
    if (!flags.detach) checkTerminal(flags.tty, flags.interactive);
    const renderer = openRenderer(flags.quiet ? 'quiet' : undefined);
    const session = openSession({ emit: renderer.emit, signal: this.signals.signal });
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
      if (flags.detach) await this.#detached(session, options);
      else await this.#foreground(session, options);
    } finally {
      renderer.close();
    }
  }

  async #detached(session: Session, { request, pull, onCreated }: RunOptions): Promise<void> {
    const [{ createContainer }, { startContainer }] = await Promise.all([
      import('../../container/create/create-container.ts'),
      import('../../container/start/start-container.ts'),
      sweepContainers(session),
    ]);
    const { signal } = this.signals;
    const record = await createContainer(session, request, { pull, startsNow: true, signal });
    onCreated(record.id);
    await startContainer(session, record, { cleanupCommand: cleanupCommand(session.paths), signal });
    this.print(record.id);
  }

  async #foreground(
    session: Session,
    { request, pull, onCreated, proxiesSignals }: RunOptions,
  ): Promise<void> {
    const [{ runForeground }] = await Promise.all([
      import('../../container/start/run-container.ts'),
      sweepContainers(session),
    ]);
    let stop = () => {};
    const { exitCode } = await runForeground(session, request, {
      stdio: {
        stdin: request.process.openStdin ? 'inherit' : 'ignore',
        stdout: 'inherit',
        stderr: 'inherit',
      },
      hasTerminal: isatty(0),
      pull,
      signal: this.signals.signal,
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
