import type { Descriptor } from './oci/descriptor.ts';
import type { Digest } from './oci/digest.ts';

/**
 * The version of the events below, as `docs/events.md` has them. It grows where a reader of the version before would
 * go wrong; a further type of event, or a further field, is no such change.
 */
export const EVENTS_VERSION = 1;

/** Names one request among all of a process: `pull-0k3x9f2a`. */
export type TaskId = string;

/** What all events have. */
interface OfTask {
  /** The request that it is about: several may be under way at once. */
  readonly task: TaskId;
}

/** Where a blob or layer stands while it is pulled, pushed, saved or loaded. */
export type LayerState =
  | 'waiting'
  | 'downloading'
  | 'downloaded'
  | 'unpacking'
  | 'unpacked'
  | 'exists'
  | 'compressing'
  | 'uploading'
  | 'uploaded'
  | 'mounted';

/** A layer (or any blob) changed its state, or moved on within it. */
export interface LayerEvent extends OfTask {
  readonly type: 'layer';
  readonly digest: Digest;
  readonly state: LayerState;
  /** Bytes done in this state; with `totalBytes` where that is known. */
  readonly bytes?: number | undefined;
  readonly totalBytes?: number | undefined;
  /** For `mounted`: the repository that had the blob. */
  readonly from?: string | undefined;
}

/** Names one step of a build among all of a process. */
export type StepId = string;

/** A build step begins or ends. `label` is what a user wrote. */
export interface StepEvent extends OfTask {
  readonly type: 'step';
  readonly id: StepId;
  readonly label: string;
  readonly state: 'started' | 'cached' | 'done' | 'failed' | 'cancelled';
  /** Why the cache was missed, where that is known; for `failed`, what went wrong. */
  readonly reason?: string | undefined;
  readonly durationMs?: number | undefined;
}

/** What a build step printed. */
export interface OutputEvent extends OfTask {
  readonly type: 'output';
  readonly stepId: StepId;
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** Something that a build step does besides printing, such as reading the context. */
export interface StatusEvent extends OfTask {
  readonly type: 'status';
  readonly stepId: StepId;
  /** What is done; the same for all events about it. */
  readonly name: string;
  readonly isDone: boolean;
  readonly bytes?: number | undefined;
  readonly totalBytes?: number | undefined;
}

/** A request is tried again after a passing failure. */
export interface RetryEvent extends OfTask {
  readonly type: 'retry';
  readonly what: string;
  readonly reason: string;
  readonly attempt: number;
  readonly delayMs: number;
}

/** An image's name was resolved to what will be fetched, or a pull or push has ended. */
export interface ImageEvent extends OfTask {
  readonly type: 'image';
  readonly state: 'pulling' | 'pulled' | 'up-to-date' | 'pushing' | 'pushed' | 'built' | 'loaded' | 'tagged';
  readonly reference: string;
  readonly descriptor?: Descriptor | undefined;
  readonly id?: Digest | undefined;
}

export interface MessageEvent extends OfTask {
  readonly type: 'message';
  readonly level: 'debug' | 'info' | 'warning';
  readonly text: string;
}

/** All that the core tells while it works. One renderer prints it; a library caller gets the same. */
export type ProgressEvent =
  | LayerEvent
  | StepEvent
  | OutputEvent
  | StatusEvent
  | RetryEvent
  | ImageEvent
  | MessageEvent;

/** Takes events. It does not throw. */
export type ProgressSink = (event: ProgressEvent) => void;

type WithoutTask<E> = E extends ProgressEvent ? Omit<E, 'task'> : never;

/** An event without the name of its task, which `Call` adds. */
export type TaskNews = WithoutTask<ProgressEvent>;

export type NewsSink = (news: TaskNews) => void;

export function warning(text: string): Omit<MessageEvent, 'task'> {
  return { type: 'message', level: 'warning', text };
}
