import { OcitsError, wrapError } from '../errors.ts';
import type { ProgressSink } from '../progress.ts';
import { openSession, type Session } from '../session.ts';
import type { HostPaths } from '../system/paths.ts';

/** What every function of the library may be given. */
export interface CallOptions {
  /** Ends the work early: what is under way is undone, and the error has the code `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Told what happens meanwhile: the events that the command line shows. It must not throw. */
  readonly onEvent?: ProgressSink | undefined;
  /** Where content and locks are; by default what `OCITS_ROOT` and `OCITS_RUN` say, as for the command. */
  readonly paths?: HostPaths | undefined;
}

/** Does one call's work in a session of its own, of which parts are opened as they are asked for. Throws OcitsErrors alone. */
export async function inSession<T>(
  { signal, onEvent, paths }: CallOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = openSession({
    emit: onEvent ?? (() => {}),
    signal: signal ?? new AbortController().signal,
    ...(paths === undefined ? {} : { paths }),
  });
  try {
    return await work(session);
  } catch (error) {
    if (signal?.aborted)
      throw new OcitsError('aborted', 'the work was ended by its signal', { cause: error });
    throw wrapError(error, 'internal', 'the work failed');
  }
}
