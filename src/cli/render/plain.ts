import { shortDigest } from '../../oci/digest.ts';
import type { ImageEvent, LayerEvent, LayerState, ProgressEvent, TaskId } from '../../progress.ts';
import { printWarning, type Renderer, type Screen } from './screen.ts';

/** Docker's words for what a layer does. */
export const LAYER_WORDS: Readonly<Record<LayerState, string>> = {
  waiting: 'Waiting',
  downloading: 'Downloading',
  downloaded: 'Download complete',
  unpacking: 'Extracting',
  unpacked: 'Pull complete',
  exists: 'Already exists',
  compressing: 'Compressing',
  uploading: 'Pushing',
  uploaded: 'Pushed',
  mounted: 'Mounted',
};

/** What a task does at the moment, as far as its lines need it. */
interface ShownTask {
  /** The image that it is about; undefined until that is known. */
  image: string | undefined;
  isPush: boolean;
  readonly states: Map<string, LayerState>;
}

/**
 * A line whenever something has changed, as Docker prints where there is no terminal. Where several images are under
 * way at once, a layer's line begins with its image.
 */
export function plainRenderer(screen: Screen): Renderer {
  const tasks = new Map<TaskId, ShownTask>();
  return {
    emit: (event) => {
      const task = tasks.get(event.task) ?? { image: undefined, isPush: false, states: new Map() };
      tasks.set(event.task, task);
      if (event.type === 'image') noteImage(task, event);
      if (event.type === 'layer') {
        if (task.states.get(event.digest) === event.state) return;
        task.states.set(event.digest, event.state);
      }
      const line = plainLine(event, task.isPush);
      const busy = [...tasks.values()].filter(({ image }) => image !== undefined);
      const owner =
        event.type === 'layer' && busy.length > 1 && task.image !== undefined ? `${task.image}: ` : '';
      if (line !== undefined) screen.write(`${owner}${line}\n`);
      else printWarning(event, screen);
    },
    close: () => {},
  };
}

function noteImage(task: ShownTask, { state, reference }: ImageEvent): void {
  task.isPush = state === 'pushing';
  task.image = state === 'pulling' || state === 'pushing' ? reference : undefined;
  task.states.clear();
}

/** What is printed of an event where nothing is redrawn; undefined for what only a terminal shows. */
export function plainLine(event: ProgressEvent, isPush = false): string | undefined {
  switch (event.type) {
    case 'layer':
      return layerLine(event, isPush);
    case 'image':
      return imageLine(event);
    case 'retry':
      return `${event.reason}; trying again in ${(event.delayMs / 1000).toFixed(1)}s (attempt ${event.attempt})`;
    default:
      return undefined;
  }
}

function layerLine(event: LayerEvent, isPush: boolean): string | undefined {
  // A line is for what has begun or ended; bytes on their way get none.
  if (event.state === 'downloading' || event.state === 'unpacking') return undefined;
  const waiting = isPush ? 'Preparing' : 'Pulling fs layer';
  const text = event.state === 'waiting' ? waiting : LAYER_WORDS[event.state];
  return `${shortDigest(event.digest)}: ${text}${event.from === undefined ? '' : ` from ${event.from}`}`;
}

function imageLine(event: ImageEvent): string | undefined {
  switch (event.state) {
    case 'pulling':
      return `Pulling ${event.reference}`;
    case 'pushing':
      return `The push refers to repository [${event.reference}]`;
    case 'pulled':
    case 'up-to-date': {
      const digest = event.descriptor === undefined ? '' : `Digest: ${event.descriptor.digest}\n`;
      const status = event.state === 'pulled' ? 'Downloaded newer image for' : 'Image is up to date for';
      return `${digest}Status: ${status} ${event.reference}`;
    }
    default:
      return undefined;
  }
}
