import { isatty } from 'node:tty';
import { BaseCommand } from '../cli/base-command.ts';
import { createFlags, missingCreateFlags, pullFlags } from '../cli/container-flags.ts';
import { checkTerminal, writeCidFile } from '../cli/flag-files.ts';
import { toggle, toggleOn } from '../cli/flags.ts';
import { forwardSignals } from '../cli/forward-signals.ts';
import { openRenderer } from '../cli/renderer.ts';
import { cleanupCommand } from '../cli/self-command.ts';
import type { CreateRequest } from '../container/create-request.ts';
import type { PullPolicy } from '../container/ensure-image.ts';
import { sweepContainers } from '../container/sweep-containers.ts';
import { openSession, type Session } from '../session.ts';
import { requestFromFlags } from './container/request-from-flags.ts';

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
  static override flags = {
    ...missingCreateFlags,
    ...createFlags,
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
      import('../container/create-container.ts'),
      import('../container/start-container.ts'),
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
      import('../container/run-container.ts'),
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
