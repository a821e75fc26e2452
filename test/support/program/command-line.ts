import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BaseImage, baseImages } from '../../../scripts/images/base-images.ts';
import { seedRegistry } from '../../../scripts/images/seed-registry.ts';
import {
  type LoopbackRegistry,
  mirrorConfig,
  startLoopbackRegistry,
} from '../../../scripts/loopback-registry.ts';
import { UndoStack } from '../../../src/system/task/undo-stack.ts';

const PROGRAM = join(import.meta.dirname, '../../../bin/ocits.js');
const MAIN = join(import.meta.dirname, '../../../src/main.ts');

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly input?: string | Buffer;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * A machine's worth of ocits for one test file: a store of its own, and a loopback registry that stands for docker.io.
 * The published bundle runs where it is built, else (or where OCITS_TEST_SOURCES is set) the sources.
 */
export class CommandLine implements AsyncDisposable {
  readonly folder: string;
  readonly registry: LoopbackRegistry;
  readonly env: NodeJS.ProcessEnv;

  readonly #undo: UndoStack;

  private constructor(folder: string, registry: LoopbackRegistry, env: NodeJS.ProcessEnv, undo: UndoStack) {
    this.folder = folder;
    this.registry = registry;
    this.#undo = undo;
    this.env = {
      PATH: process.env['PATH'],
      HOME: join(folder, 'home'),
      XDG_CACHE_HOME: join(tmpdir(), 'ocits-test-compile-cache'),
      OCITS_ROOT: join(folder, 'root'),
      OCITS_RUN: join(folder, 'run'),
      CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
      ...env,
    };
  }

  /** With the images named in the registry, as `library/NAME:latest`; `env` is for all calls. */
  static async open(images: readonly BaseImage[], env: NodeJS.ProcessEnv = {}): Promise<CommandLine> {
    await using undo = new UndoStack();
    const folder = mkdtempSync(join(tmpdir(), 'ocits-e2e-'));
    undo.defer(() => rmSync(folder, { recursive: true, force: true }));
    const registry = await startLoopbackRegistry(join(folder, 'registry'));
    undo.use(registry);
    for (const [name, layout] of Object.entries(baseImages(images))) {
      await seedRegistry(`http://${registry.host}`, layout as string, `library/${name}`, 'latest');
    }
    writeFileSync(join(folder, 'registries.conf'), mirrorConfig(registry.host));
    return new CommandLine(folder, registry, env, undo.move());
  }

  /** Runs `ocits ARGS` to its end. */
  async run(args: readonly string[], options: CallOptions = {}): Promise<Finished> {
    const child = this.start(args, options);
    const out: Buffer[] = [];
    const problems: Buffer[] = [];
    child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr!.on('data', (chunk: Buffer) => problems.push(chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), 120_000);
    const code = await new Promise<number>((resolve) =>
      child.once('close', (status) => resolve(status ?? -1)),
    );
    clearTimeout(timer);
    return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(problems).toString() };
  }

  /** As `run`, and throws with all it printed where it fails. Resolves to standard output. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`ocits ${args.join(' ')} exited with ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Starts it and leaves it running; the caller ends it. */
  start(args: readonly string[], options: CallOptions = {}): ChildProcess {
    const [program, ...words] = this.command(args);
    const child = spawn(program!, words, {
      cwd: options.cwd ?? this.folder,
      env: { ...this.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    return child;
  }

  /** The program and its arguments that `start` runs. */
  command(args: readonly string[]): readonly string[] {
    const isBundled = existsSync(join(PROGRAM, '../../../dist/main.cjs'));
    const program = isBundled && process.env['OCITS_TEST_SOURCES'] === undefined ? PROGRAM : MAIN;
    return [process.execPath, program, ...args];
  }

  /** A context folder with the given files. */
  context(files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(this.folder, 'context-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const containers = join(this.folder, 'root/containers');
    const left = existsSync(containers)
      ? readdirSync(containers).filter((name) => /^[0-9a-f]{64}$/.test(name))
      : [];
    if (left.length > 0) await this.run(['rm', '-f', ...left]);
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.folder));
    await this.#undo[Symbol.asyncDispose]();
    if (mounts.length > 0) throw new Error(`mounts are left behind:\n${mounts.join('\n')}`);
  }
}
