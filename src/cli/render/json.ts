import { EVENTS_VERSION } from '../../progress.ts';
import type { Renderer, Screen } from './screen.ts';

/** One JSON object a line and event, with the version of the events as `v` and bytes in base64: docs/events.md. */
export function jsonRenderer(screen: Screen): Renderer {
  return {
    emit: (event) => {
      const line = JSON.stringify({ v: EVENTS_VERSION, ...event }, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
      );
      screen.write(`${line}\n`);
    },
    close: () => {},
  };
}
