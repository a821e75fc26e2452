import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { CreateFlags } from '../container/flags/create-flags.ts';
import type { CreateRequest } from '../container/flags/create-request.ts';
import { parseCreateFlags } from '../container/flags/parse-create-flags.ts';
import type { ContainerState } from '../container/record/state.ts';
import type { PullPolicy } from '../options/pull-policy.ts';
import type { RunningContainer } from '../runtime/supervisor.ts';
import type { HostPaths } from '../system/paths.ts';
import { UndoStack } from '../system/task/undo-stack.ts';
import { type CallOptions, withCall } from './with-call.ts';

export interface RunOptions extends CallOptions {
  /** Instead of the image's command. */
  readonly command?: readonly string[] | undefined;
  /** Docker's flags by their names: `{ volume: ['/src:/data'], publish: ['8080:80'], rm: true }`. */
  readonly flags?: CreateFlags | undefined;
  /** Whether a registry is asked for the image; by default where it is missing. */
  readonly pull?: PullPolicy | undefined;
}

export interface ForegroundRunOptions extends RunOptions {
  /** What the container reads; by default nothing. It is ended with the stream. */
  readonly stdin?: Readable | undefined;
  /** Where its output goes; by default to this process's own descriptors. The streams stay open. */
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
}

/**
 * Runs a container to its end; its exit code. When the signal aborts it is killed. Throws `not-found` with the exit
 * code 127 where the image lacks the command, `not-executable` with 126.
 */
export async function run(image: string, options: ForegroundRunOptions = {}): Promise<number> {
  return await withCall('run', options, async (engine, call) => {
    const { stdin, stdout, stderr, pull } = options;
    const { signal } = call;
    const request = requestOf(image, options, { openStdin: stdin !== undefined });
    const [{ runForeground }, { sweepContainers }] = await Promise.all([
      import('../container/start/run-container.ts'),
      import('../container/clear/sweep-containers.ts'),
    ]);
    await sweepContainers(engine, call);
    await using undo = new UndoStack();
    let copied: Promise<unknown> = Promise.resolve();
    const { exitCode } = await runForeground(engine, call, request, {
      stdio: {
        stdin: stdin === undefined ? 'ignore' : 'pipe',
        stdout: stdout === undefined ? 'inherit' : 'pipe',
        stderr: stderr === undefined ? 'inherit' : 'pipe',
      },
      hasTerminal: false,
      pull,
      onStarted: (container) => {
        copied = copyStreams(container, options);
        copied.catch(() => {});
        const kill = () => void container.kill('SIGKILL').catch(() => {});
        signal.addEventListener('abort', kill, { once: true });
        undo.defer(() => signal.removeEventListener('abort', kill));
      },
    });
    await copied;
    signal.throwIfAborted();
    return exitCode;
  });
}

/** A container may end without reading all of its input. */
async function copyStreams(
  container: RunningContainer,
  { stdin, stdout, stderr }: ForegroundRunOptions,
): Promise<void> {
  if (stdin !== undefined) pipeline(stdin, container.stdin!).catch(() => {});
  const copies = [
    stdout === undefined ? undefined : pipeline(container.stdout!, stdout, { end: false }),
    stderr === undefined ? undefined : pipeline(container.stderr!, stderr, { end: false }),
  ];
  await Promise.all(copies);
}

/** Starts a container in the background; its ID. It goes on when this process ends. Throws as `run`. */
export async function runDetached(image: string, options: RunOptions = {}): Promise<string> {
  return await withCall('run', options, async (engine, call) => {
    const { pull } = options;
    const request = requestOf(image, options);
    const [{ createContainer }, { startContainer }, { sweepContainers }, { cleanupCommand }] =
      await Promise.all([
        import('../container/create/create-container.ts'),
        import('../container/start/start-container.ts'),
        import('../container/clear/sweep-containers.ts'),
        import('../cli/process/self-command.ts'),
      ]);
    await sweepContainers(engine, call);
    const record = await createContainer(engine, call, request, { startsNow: true, pull });
    const cleanup = cleanupCommand(engine.paths, commandScript());
    await startContainer(engine, call, record, { cleanupCommand: cleanup });
    return record.id;
  });
}

/** The `ocits` command of this package, which clears up after a container. */
function commandScript(): string {
  const script = import.meta.url.endsWith('.ts') ? '../main.ts' : '../bin/ocits.js';
  return fileURLToPath(new URL(script, import.meta.url));
}

function requestOf(
  image: string,
  { command = [], flags = {} }: RunOptions,
  { openStdin = false }: { readonly openStdin?: boolean | undefined } = {},
): CreateRequest {
  return parseCreateFlags({ interactive: openStdin, ...flags }, [image, ...command], {
    folder: process.cwd(),
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
  });
}

/** A container as it is listed. */
export interface ListedContainer extends ContainerState {
  readonly id: string;
  readonly name: string;
  /** As it was asked for. */
  readonly image: string;
  readonly command: readonly string[];
  readonly created: Date;
  readonly labels: Readonly<Record<string, string>>;
}

/** Containers, the newest first: those that run, or `all`. */
export async function containers(
  options: CallOptions & { readonly all?: boolean | undefined } = {},
): Promise<ListedContainer[]> {
  return await withCall('ps', options, async (engine) => {
    const { listContainers } = await import('../container/show/list-containers.ts');
    const found = await listContainers(engine, { all: options.all ?? false });
    return found.map(({ record, state }) => ({
      id: record.id,
      name: record.name,
      image: record.image.name,
      command: record.process.args,
      created: new Date(record.createdAt),
      labels: record.labels,
      ...state,
    }));
  });
}

/** Ends a container by its stop signal, then by SIGKILL. One that does not run is no error. Throws `not-found`. */
export async function stopNamedContainer(
  nameOrId: string,
  options: CallOptions & {
    /** Until it is killed; by default what the container was made with, else 10. */
    readonly timeoutSeconds?: number | undefined;
  } = {},
): Promise<void> {
  await withCall('stop', options, async (engine, call) => {
    const { timeoutSeconds } = options;
    const stop = await import('../container/end/stop-container.ts');
    const record = await find(engine.paths, nameOrId);
    await stop.stopContainer(engine, call, record, { timeoutSeconds });
  });
}

/** Removes a container; `force`: also one that runs. Throws `not-found`, `in-use`. */
export async function removeNamedContainer(
  nameOrId: string,
  options: CallOptions & {
    readonly force?: boolean | undefined;
    /** Whether its anonymous volumes go, too. */
    readonly volumes?: boolean | undefined;
  } = {},
): Promise<void> {
  await withCall('rm', options, async (engine) => {
    const { force = false, volumes = false } = options;
    const remove = await import('../container/end/remove-container.ts');
    await remove.removeContainer(engine, await find(engine.paths, nameOrId), { force, volumes });
  });
}

async function find(paths: HostPaths, nameOrId: string) {
  const { findContainer } = await import('../container/record/catalog.ts');
  return await findContainer(paths, nameOrId);
}
