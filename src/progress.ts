import type { Descriptor } from './oci/descriptor.ts';
import type { Digest } from './oci/digest.ts';

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
export interface LayerEvent {
  readonly type: 'layer';
  readonly digest: Digest;
  readonly state: LayerState;
  /** Bytes done in this state; with `totalBytes` where that is known. */
  readonly bytes?: number;
  readonly totalBytes?: number;
  /** For `mounted`: the repository that had the blob. */
  readonly from?: string;
}

/** A build step begins or ends. `id` is unique in one build, and `label` is what a user wrote. */
export interface StepEvent {
  readonly type: 'step';
  readonly id: number;
  readonly label: string;
  readonly state: 'started' | 'cached' | 'done' | 'failed' | 'cancelled';
  /** Why the cache was missed, where that is known; for `failed`, what went wrong. */
  readonly reason?: string;
  readonly durationMs?: number;
}

/** What a build step printed. */
export interface OutputEvent {
  readonly type: 'output';
  readonly stepId: number;
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** Something that a build step does besides printing, such as reading the context. */
export interface StatusEvent {
  readonly type: 'status';
  readonly stepId: number;
  /** What is done; the same for all events about it. */
  readonly name: string;
  readonly isDone: boolean;
  readonly bytes?: number;
  readonly totalBytes?: number;
}

/** A request is tried again after a passing failure. */
export interface RetryEvent {
  readonly type: 'retry';
  readonly what: string;
  readonly reason: string;
  readonly attempt: number;
  readonly delayMs: number;
}

/** An image's name was resolved to what will be fetched, or a pull or push has ended. */
export interface ImageEvent {
  readonly type: 'image';
  readonly state: 'pulling' | 'pulled' | 'up-to-date' | 'pushing' | 'pushed' | 'built' | 'loaded' | 'tagged';
  readonly reference: string;
  readonly descriptor?: Descriptor;
  readonly id?: Digest;
}

export interface MessageEvent {
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

export type ProgressSink = (event: ProgressEvent) => void;

export function warning(text: string): MessageEvent {
  return { type: 'message', level: 'warning', text };
}
