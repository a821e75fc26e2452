import type { Renderer, Screen } from './screen.ts';

/** One JSON object a line and event, bytes in base64, for programs. */
export function jsonRenderer(screen: Screen): Renderer {
  return {
    emit: (event) => {
      const line = JSON.stringify(event, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
      );
      screen.write(`${line}\n`);
    },
    close: () => {},
  };
}
