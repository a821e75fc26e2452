import { shortDigest } from '../../oci/digest.ts';
import type { ImageEvent, LayerEvent, LayerState, ProgressEvent } from '../../progress.ts';
import { printWarning, type Renderer, type Screen } from './screen.ts';

const LAYER_TEXT: Readonly<Record<LayerState, string | undefined>> = {
  waiting: 'Pulling fs layer',
  downloading: undefined,
  downloaded: 'Download complete',
  unpacking: undefined,
  unpacked: 'Pull complete',
  exists: 'Already exists',
  compressing: 'Compressing',
  uploading: 'Pushing',
  uploaded: 'Pushed',
  mounted: 'Mounted',
};

/** A line whenever something has changed, as Docker prints where there is no terminal. */
export function plainRenderer(screen: Screen): Renderer {
  const states = new Map<string, LayerState>();
  let isPush = false;
  return {
    emit: (event) => {
      if (event.type === 'image') {
        isPush = event.state === 'pushing';
        states.clear();
      }
      if (event.type === 'layer') {
        if (states.get(event.digest) === event.state) return;
        states.set(event.digest, event.state);
      }
      const line = plainLine(event, isPush);
      if (line !== undefined) screen.write(`${line}\n`);
      else printWarning(event, screen);
    },
    close: () => {},
  };
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
  const text = isPush && event.state === 'waiting' ? 'Preparing' : LAYER_TEXT[event.state];
  if (text === undefined) return undefined;
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
