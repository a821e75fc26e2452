import type { NewsSink, ProgressSink, TaskId, TaskNews } from './progress.ts';

/**
 * One request of a user or a program: what ends it, who is told of it, and under which name. It is handed down from
 * function to function, and nothing keeps it: what outlives the request belongs to the engine.
 *
 *     const call = openCall('pull', { signal, emit: renderer.emit });
 *     await pullImage(engine, call, { reference, policy: 'always' });
 */
export interface Call {
  readonly task: TaskId;
  /** Aborted where the work is to end early: what is under way is undone then. */
  readonly signal: AbortSignal;
  /** Tells what happens; the task is added. Does not throw, and waits for nobody. */
  readonly emit: NewsSink;
}

export interface CallParts {
  /** By default nothing ends the work early. */
  readonly signal?: AbortSignal | undefined;
  /** By default nobody is told. */
  readonly emit?: ProgressSink | undefined;
}

/** Begins a request. `kind` is a short word for what it does, such as `pull`: the task's name begins with it. */
export function openCall(kind: string, { signal, emit }: CallParts = {}): Call {
  const task = `${kind}-${randomWord()}`;
  return {
    task,
    signal: signal ?? new AbortController().signal,
    emit: emit === undefined ? () => {} : (news) => emit({ ...news, task }),
  };
}

/** The same request with another signal, for a part of it that can be ended by itself. */
export function withSignal(call: Call, signal: AbortSignal): Call {
  return { ...call, signal };
}

/** The same request with fewer or other news. `translate` gives what is told instead, or undefined where nothing is. */
export function withNews(call: Call, translate: (news: TaskNews) => TaskNews | undefined): Call {
  return {
    ...call,
    emit: (news) => {
      const told = translate(news);
      if (told !== undefined) call.emit(told);
    },
  };
}

/** Eight characters that tell the tasks of a process apart. */
function randomWord(): string {
  return Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0');
}
