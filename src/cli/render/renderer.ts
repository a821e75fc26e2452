/**
 * The room of progress: one renderer for each mode (terminal, lines, JSON, quiet), and those of builds, which show
 * steps. Commands that take a while open one and hand its `emit` to the call. Renderers write to standard error
 * alone: standard output is for results.
 *
 *     const renderer = openRenderer('auto');
 *     await pullImage(engine, openCall('pull', { signal, emit: renderer.emit }), { reference, policy: 'always' });
 *     renderer.close();
 */

import { printableEvent } from '../output/printable.ts';
import { jsonRenderer } from './json.ts';
import { plainRenderer } from './plain.ts';
import { printWarning, type Renderer, type Screen, standardScreen } from './screen.ts';
import { terminalRenderer } from './terminal.ts';

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'json' | 'rawjson' | 'quiet';

/**
 * The renderer of `mode`: `auto` redraws on a terminal and prints lines elsewhere. Without `mode`,
 * `BUILDKIT_PROGRESS` counts, as with Docker.
 */
export function openRenderer(mode: ProgressMode | undefined, screen: Screen = standardScreen()): Renderer {
  const wanted = mode ?? modeFromEnvironment();
  if (wanted === 'quiet') {
    return cleaned({ emit: (event) => printWarning(event, screen), close: () => {} });
  }
  if (wanted === 'json' || wanted === 'rawjson') return jsonRenderer(screen);
  if (wanted === 'tty' || (wanted === 'auto' && screen.isTerminal)) return cleaned(terminalRenderer(screen));
  return cleaned(plainRenderer(screen));
}

/** The same renderer. What images and registries say reaches it in printable form. */
export function cleaned({ emit, close }: Renderer): Renderer {
  return { emit: (event) => emit(printableEvent(event)), close };
}

function modeFromEnvironment(): ProgressMode {
  const value = process.env['BUILDKIT_PROGRESS'] ?? '';
  return ['tty', 'plain', 'quiet', 'rawjson'].includes(value) ? (value as ProgressMode) : 'auto';
}
