/**
 * The room of descriptors and terminals: what a child has as standard input, output and error, our terminal handed
 * over byte by byte, and its size. `crun`, `conmon` and `exec` call it, and `container/start` has its types. It opens
 * no terminal of its own: that is conmon's.
 *
 *     using stdio = await childStdio({ stdin: 'inherit', stdout: 'pipe', stderr: 'pipe' }, folder);
 *     const child = spawnTool(program, args, [...stdio.fds], { env: toolEnvironment() });
 *     stdio.spawned();
 */

import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { inheritedFds } from '../../system/process/inherited-fds.ts';
import { type Copy, copyInput, copyOutput, copyTyped } from './copy.ts';
import { reopenPipe } from './own-descriptors.ts';
import { makePipes, type Pipe } from './pipes.ts';
import {
  needsPipe,
  planStdio,
  STDIO_NAMES,
  type StdioModes,
  type StdioName,
  type StdioPlan,
} from './stdio-plan.ts';

/** The descriptors for a child, and our ends of the pipes among them. */
export interface ChildStdio extends Disposable {
  /** For spawn: 0 to 2, and a harmless file wherever an inherited descriptor would reach the child. */
  readonly fds: readonly (number | 'ignore')[];
  readonly stdin?: Writable | undefined;
  readonly stdout?: Readable | undefined;
  readonly stderr?: Readable | undefined;
  /** To be called once the child is spawned: closes the child's ends, and starts what copies. */
  spawned(): void;
  /**
   * To be called once the process has ended. Resolves when all that it has printed has reached our own descriptors;
   * what others in the container still hold open goes on being copied. Throws `disk-full` or `tool-failed` where it
   * could not be written.
   */
  finish(): Promise<void>;
  /** Closes everything, for a child that never came to be. */
  [Symbol.dispose](): void;
}

export interface StdioOptions {
  /** The child is a crun that joins a terminal of the container's to our descriptors. */
  readonly isTerminal?: boolean | undefined;
  /**
   * Opens a null device for what is ignored; pipes do where it gives none. The default is the host's, in whose place
   * crun puts the container's own when it makes a container.
   */
  readonly openNull?: (() => number | undefined) | undefined;
}

/**
 * Makes a child's descriptors. Of ours, a container gets pipes and sockets alone: between a terminal or a file of the
 * host's and the container is a pipe that is copied. The child gets no further descriptor of ours, nor one that we have
 * inherited ourselves: a folder among them would let a container enter the host by its working directory
 * (CVE-2024-21626). `folder` takes named pipes for a moment.
 */
export async function childStdio(
  modes: StdioModes,
  folder: string,
  options: StdioOptions = {},
): Promise<ChildStdio> {
  const { isTerminal = false, openNull = openHostNull } = options;
  const given = openNull();
  const stdio = new PreparedStdio(given ?? openHostNull());
  try {
    const plans = planStdio(modes, { hasNull: given !== undefined, isTerminal });
    stdio.connect(plans, await makePipes(plans.filter(needsPipe).length, folder));
    return stdio;
  } catch (error) {
    stdio[Symbol.dispose]();
    throw error;
  }
}

function openHostNull(): number {
  return openSync('/dev/null', 'r+');
}

class PreparedStdio implements ChildStdio {
  readonly fds: (number | 'ignore')[] = [];
  stdin: Writable | undefined;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
  readonly #nullFd: number;
  readonly #opened = new Set<number>();
  #starts: (() => Copy)[] = [];
  #copies: Copy[] = [];

  constructor(nullFd: number) {
    this.#nullFd = this.#keep(nullFd);
  }

  connect(plans: readonly StdioPlan[], pipes: readonly Pipe[]): void {
    for (const { readEnd, writeEnd } of pipes) for (const end of [readEnd, writeEnd]) this.#keep(end);
    const free = [...pipes];
    for (const [index, plan] of plans.entries()) {
      const pipe = needsPipe(plan) ? free.shift() : undefined;
      this.fds[index] =
        pipe === undefined ? this.#withoutPipe(index, plan) : this.#withPipe(STDIO_NAMES[index]!, plan, pipe);
    }
    for (const fd of inheritedFds()) this.fds[fd] = this.#nullFd;
    for (let fd = 3; fd < this.fds.length; fd++) this.fds[fd] ??= 'ignore';
  }

  #withoutPipe(index: number, plan: StdioPlan): number {
    if (plan === 'null') return this.#nullFd;
    if (plan === 'as-stdout') return this.fds[1] as number;
    const own = reopenPipe(index);
    return own === undefined ? index : this.#keep(own);
  }

  #withPipe(name: StdioName, plan: StdioPlan, { readEnd, writeEnd }: Pipe): number {
    if (name === 'stdin') {
      if (plan === 'stream') this.stdin = this.#stream(writeEnd, false);
      if (plan === 'copy') this.#starts.push(() => copyInput(0, writeEnd));
      if (plan === 'copy-typed') this.#starts.push(() => copyTyped(this.#stream(writeEnd, false)));
      return readEnd;
    }
    const target = plan === 'copy-null' ? this.#nullFd : STDIO_NAMES.indexOf(name);
    if (plan === 'stream') this[name] = this.#stream(readEnd, true);
    else this.#starts.push(() => copyOutput(readEnd, target, name));
    return writeEnd;
  }

  /** Our end of a pipe as a stream, which closes it. */
  #stream(fd: number, readable: boolean): Socket {
    this.#opened.delete(fd);
    return new Socket({ fd, readable, writable: !readable });
  }

  #keep(fd: number): number {
    this.#opened.add(fd);
    return fd;
  }

  #close(): void {
    for (const fd of this.#opened) closeSync(fd);
    this.#opened.clear();
  }

  spawned(): void {
    for (const start of this.#starts.splice(0)) this.#copies.push(start());
    this.#close();
  }

  async finish(): Promise<void> {
    const results = await Promise.allSettled(this.#copies.map(async (copy) => await copy.finish()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  [Symbol.dispose](): void {
    this.#close();
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy();
    this.finish().catch(() => {});
  }
}
