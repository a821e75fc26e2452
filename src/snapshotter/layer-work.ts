import { Worker } from 'node:worker_threads';
import type { UnpackJob } from './folder-form/unpack-to-folder.ts';
import type { AppliedLayer } from './layer-form.ts';
import type { DiffedLayer, DiffJob } from './upper/diff-upper.ts';
import { WorkerPool } from './workers/worker-pool.ts';

/** The work that is done in threads, by name. */
export interface LayerWork {
  readonly unpack: { readonly job: UnpackJob; readonly result: AppliedLayer };
  readonly diff: { readonly job: DiffJob; readonly result: DiffedLayer };
}

/** Threads for that work; none is there before there is something to do. */
export function createLayerWorkers(): WorkerPool<LayerWork> {
  const name = import.meta.url.endsWith('.ts') ? './overlay-worker.ts' : './overlay-worker.js';
  // What a thread allocates is chunks that are soon of no use. With V8's own limits they pile up: measured on 940 MB of
  // layers in three threads, this saves 100 MB of memory and, by the processor's caches, a quarter of the time.
  const resourceLimits = { maxYoungGenerationSizeMb: 2 };
  // Flags that the program was started with, such as --input-type, need not fit a file.
  return new WorkerPool(() => new Worker(new URL(name, import.meta.url), { resourceLimits, execArgv: [] }));
}
