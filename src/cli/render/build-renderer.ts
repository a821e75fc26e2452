import { plainBuildRenderer } from './build-plain.ts';
import { terminalBuildRenderer } from './build-terminal.ts';
import { cleaned, openRenderer, type ProgressMode } from './renderer.ts';
import { type Renderer, type Screen, standardScreen } from './screen.ts';

/** The renderer of a build: steps as BuildKit shows them. `json` and `quiet` are those of all commands. */
export function openBuildRenderer(
  mode: ProgressMode | undefined,
  screen: Screen = standardScreen(),
): Renderer {
  const wanted = mode ?? fromEnvironment() ?? 'auto';
  if (wanted === 'tty' || (wanted === 'auto' && screen.isTerminal))
    return cleaned(terminalBuildRenderer(screen));
  if (wanted === 'plain' || wanted === 'auto') return cleaned(plainBuildRenderer(screen));
  return openRenderer(wanted, screen);
}

function fromEnvironment(): ProgressMode | undefined {
  const value = process.env['BUILDKIT_PROGRESS'];
  return (['tty', 'plain', 'quiet', 'rawjson'] as const).find((mode) => mode === value);
}
