import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Call, openCall } from '../../../src/call.ts';
import { createContainer } from '../../../src/container/create/create-container.ts';
import { removeContainer } from '../../../src/container/end/remove-container.ts';
import { readContainers } from '../../../src/container/record/catalog.ts';
import { containersFolder } from '../../../src/container/record/folder.ts';
import { liveIds } from '../../../src/container/record/live-marks.ts';
import type { ContainerRecord } from '../../../src/container/record/record.ts';
import { runForeground } from '../../../src/container/start/run-container.ts';
import { startContainer } from '../../../src/container/start/start-container.ts';
import type { Engine } from '../../../src/engine.ts';
import { openEngine } from '../../../src/open-engine.ts';
import type { ProgressEvent } from '../../../src/progress.ts';
import type { RunningContainer } from '../../../src/runtime/supervisor.ts';
import { addBusyboxImage } from '../image/busybox-image.ts';
import { containerRequest, type RequestParts } from './container-request.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface LabRun extends RequestParts {
  readonly onStarted?: (container: RunningContainer, record: ContainerRecord) => void;
  readonly signal?: AbortSignal;
}

/** A store of its own with a busybox, and containers that are made in it; all go with the test. */
export class ContainerLab implements AsyncDisposable {
  readonly folder: string;
  readonly engine: Engine;
  readonly call: Call;
  readonly events: ProgressEvent[];

  private constructor(folder: string) {
    this.folder = folder;
    this.events = [];
    const paths = { root: join(folder, 'root'), run: join(folder, 'run') };
    this.engine = openEngine({ paths });
    this.call = openCall('test', { emit: (event) => void this.events.push(event) });
  }

  static async open(): Promise<ContainerLab> {
    const lab = new ContainerLab(await mkdtemp(join(tmpdir(), 'ocits-lab-')));
    await addBusyboxImage(await lab.engine.store());
    return lab;
  }

  get paths() {
    return this.engine.paths;
  }

  /** Runs a container in the foreground, its output on pipes. */
  async run(command: readonly string[], { onStarted, signal, ...parts }: LabRun = {}): Promise<Outcome> {
    let output: Promise<string[]> = Promise.resolve(['', '']);
    const { exitCode } = await runForeground(
      this.engine,
      { ...this.call, signal: signal ?? this.call.signal },
      containerRequest(command, parts),
      {
        stdio: { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
        hasTerminal: false,
        onStarted: (container, record) => {
          // First: reading may give what has come already, before anybody else listens.
          onStarted?.(container, record);
          output = Promise.all([text(container.stdout!), text(container.stderr!)]);
        },
      },
    );
    const [stdout = '', stderr = ''] = await output;
    return { stdout, stderr, exitCode };
  }

  /** Runs a shell script in the foreground; its standard output. */
  async sh(script: string, parts: LabRun = {}): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run(['sh', '-c', script], parts);
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** Starts a container in the background. It stays when it has ended, unless told otherwise. */
  async detached(command: readonly string[], parts: RequestParts = {}): Promise<ContainerRecord> {
    const record = await createContainer(
      this.engine,
      this.call,
      containerRequest(command, { autoRemove: false, ...parts }),
      { pull: 'never', startsNow: true },
    );
    await startContainer(this.engine, this.call, record, { cleanupCommand: this.cleanupCommand });
    return record;
  }

  readonly cleanupCommand = (id: string): readonly string[] => [
    ...['/usr/bin/env', `OCITS_ROOT=${this.paths.root}`, `OCITS_RUN=${this.paths.run}`],
    ...[process.execPath, MAIN, 'container', 'cleanup', id],
  ];

  /** What is left of containers: folders, names, marks and locks. */
  async remains(): Promise<readonly string[]> {
    const folder = containersFolder(this.paths);
    const [folders, names, marks, locks] = await Promise.all([
      readdir(folder),
      readdir(join(folder, 'by-name')),
      liveIds(this.paths),
      readdir(join(this.paths.run, 'locks')).catch(() => []),
    ]);
    return [
      ...folders.filter((name) => name !== 'by-name'),
      ...names,
      ...(marks ?? []),
      ...locks.filter((name) => /^(container-|volume-[0-9a-f]{64}$)/.test(name)),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const record of await readContainers(this.paths)) {
      await removeContainer(this.engine, record, { force: true, volumes: true });
    }
    await (await this.engine.network()).prune();
    await this.engine[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
