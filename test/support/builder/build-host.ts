import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buildImage } from '../../../src/builder/build.ts';
import type { BuildRequest } from '../../../src/builder/request/build-request.ts';
import { type Call, openCall } from '../../../src/call.ts';
import type { Engine } from '../../../src/engine.ts';
import type { Image } from '../../../src/image/image.ts';
import { openNetworkController } from '../../../src/network/open-controller.ts';
import { hostPlatform } from '../../../src/oci/platform.ts';
import { parseReference, withDefaultTag } from '../../../src/oci/reference.ts';
import { openEngine } from '../../../src/open-engine.ts';
import type { ProgressEvent, StepEvent } from '../../../src/progress.ts';
import type { Store } from '../../../src/store/store.ts';
import { removeTrees } from '../../../src/system/file/remove-tree.ts';
import { addBusyboxImage } from '../image/busybox-image.ts';
import { temporaryStore } from '../image/temporary-store.ts';

/** What a test says of a build; the rest is as usual. */
export interface BuildOptions {
  readonly tags?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly network?: 'default' | 'host' | 'none';
  readonly epoch?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly run?: Partial<BuildRequest['run']>;
}

/** A host that builds for real, with a busybox image; all of it goes with the test. */
export interface TestBuildHost extends AsyncDisposable {
  readonly engine: Engine;
  readonly call: Call;
  readonly store: Store;
  /** Free for the test. */
  readonly folder: string;
  /** The folder that COPY takes files from; empty at first. */
  readonly context: string;
  /** What the last build has told. */
  readonly events: ProgressEvent[];
  build(dockerfile: string, options?: BuildOptions): Promise<Image>;
  /** What `build` asks for. */
  request(dockerfile: string, options?: BuildOptions): BuildRequest;
  /** How each step of the last build ended, by its label; internal ones left out. */
  outcomes(): Record<string, StepEvent['state']>;
  /** Why steps of the last build were not taken from the cache, where that was told. */
  reasons(): Record<string, string>;
  /** All that the steps of the last build printed. */
  output(): string;
}

export async function buildHost(): Promise<TestBuildHost> {
  const made = await temporaryStore();
  const { store } = made;
  const events: ProgressEvent[] = [];
  const call = openCall('build', { emit: (event) => void events.push(copyOf(event)) });
  const folders = join(made.folder, 'network');
  const network = openNetworkController(store.paths, {
    folder: folders,
    bridge: `oct${randomBytes(3).toString('hex')}`,
  });
  const engine: Engine = {
    ...openEngine({ paths: store.paths }),
    store: async () => store,
    network: async () => network,
  };
  await addBusyboxImage(store);
  const context = join(made.folder, 'context');
  await mkdir(context);
  return {
    engine,
    call,
    store,
    folder: made.folder,
    context,
    events,
    build: async (dockerfile, options = {}) => {
      events.length = 0;
      const { signal = call.signal } = options;
      return await buildImage(engine, { ...call, signal }, requestOf(context, dockerfile, options));
    },
    request: (dockerfile, options = {}) => requestOf(context, dockerfile, options),
    outcomes: () => {
      const steps = events
        .filter((event) => event.type === 'step')
        .filter(({ label }) => /^\[(?!internal)/.test(label));
      return Object.fromEntries(steps.map(({ label, state }) => [label, state]));
    },
    reasons: () =>
      Object.fromEntries(
        events.flatMap((event) =>
          event.type === 'step' && event.state === 'started' && event.reason !== undefined
            ? [[event.label, event.reason]]
            : [],
        ),
      ),
    output: () => {
      const chunks = events.flatMap((event) => (event.type === 'output' ? [event.data] : []));
      return Buffer.concat(chunks).toString();
    },
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await network.prune();
      await removeTrees([made.folder]);
    },
  };
}

function copyOf(event: ProgressEvent): ProgressEvent {
  return event.type === 'output' ? { ...event, data: Buffer.from(event.data) } : event;
}

function requestOf(context: string, dockerfile: string, options: BuildOptions): BuildRequest {
  return {
    source: { context, dockerfile: '-', stdin: () => Readable.from([Buffer.from(dockerfile)]) },
    target: {
      platform: hostPlatform(),
      buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
      ...(options.target === undefined ? {} : { stage: options.target }),
    },
    cache: { isUsed: options.noCache !== true, pullsAlways: options.pull === true },
    run: {
      network: options.network ?? 'none',
      extraHosts: [],
      rlimits: [],
      secrets: new Map(),
      ...options.run,
    },
    output: {
      tags: (options.tags ?? []).map((tag) => withDefaultTag(parseReference(tag))),
      labels: options.labels ?? {},
      ...(options.epoch === undefined ? {} : { sourceDateEpoch: options.epoch }),
    },
  };
}
