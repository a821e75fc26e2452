/**
 * The room of programs that import ocits: each function does what a command does, and takes plain values. `index.ts`
 * exports it, and nothing else in ocits calls it. Without an engine of the program's own a call opens one and leaves
 * nothing open. It prints nothing, reads no flag of the process, and fails with OcitsErrors alone.
 *
 *     const { id } = await build('.', { tags: ['app:1'], onEvent: (event) => console.error(event) });
 *     const exitCode = await run('app:1', { command: ['npm', 'test'], signal });
 */

import { type Call, openCall } from '../call.ts';
import type { Engine } from '../engine.ts';
import { OcitsError, wrapError } from '../errors.ts';
import { openEngine } from '../open-engine.ts';
import type { ProgressSink } from '../progress.ts';
import type { HostPaths } from '../system/paths.ts';

/** What every function of the library may be given. */
export interface CallOptions {
  /** Ends the work early: what is under way is undone, and the error has the code `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Told what happens meanwhile: the events that the command line shows. It must not throw. */
  readonly onEvent?: ProgressSink | undefined;
  /** Where content and locks are; by default what `OCITS_ROOT` and `OCITS_RUN` say, as for the command. */
  readonly paths?: HostPaths | undefined;
  /**
   * What the call works with, for programs that call often: connections and what was read are kept between calls. It
   * stays open. By default each call has one of its own, and leaves nothing open. `paths` goes for that one only.
   */
  readonly engine?: Engine | undefined;
}

/** Does one call's work. `kind` begins the name of its task. Throws OcitsErrors alone. */
export async function withCall<T>(
  kind: string,
  { signal, onEvent, paths, engine: given }: CallOptions,
  work: (engine: Engine, call: Call) => Promise<T>,
): Promise<T> {
  const engine = given ?? openEngine({ paths });
  try {
    return await work(engine, openCall(kind, { signal, emit: onEvent }));
  } catch (error) {
    if (signal?.aborted)
      throw new OcitsError('aborted', 'the work was ended by its signal', { cause: error });
    throw wrapError(error, 'internal', 'the work failed');
  } finally {
    if (given === undefined) await engine[Symbol.asyncDispose]();
  }
}
