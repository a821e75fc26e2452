import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { completeLine } from './cli/completion/complete-line.ts';
import { COMMANDS, HIDDEN_COMMANDS } from './command-table.ts';
import { PREDEFINED_NETWORKS } from './network/choice.ts';
import { familiarName } from './oci/reference.ts';
import type { NamedThing } from './options/flag-table.ts';
import { isRefFolder, referenceAt } from './store/ref-path.ts';
import { type HostPaths, hostPaths } from './system/paths.ts';

/** Prints what can stand at the end of a command line: a candidate a line. `words`: what is typed behind `ocits`. */
export async function printCandidates(words: readonly string[]): Promise<void> {
  const paths = hostPaths();
  const table = { commands: COMMANDS, hidden: HIDDEN_COMMANDS };
  const lines = await completeLine(words, table, (of) => readNames(paths, of));
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/**
 * The names of containers, images, volumes or networks, from the names of files alone: nothing is opened, locked or
 * started. None where the files cannot be read.
 */
function readNames({ root }: HostPaths, of: NamedThing): readonly string[] {
  if (of === 'networks') return PREDEFINED_NETWORKS;
  if (of === 'images') return refNames(join(root, 'refs'), []);
  const folder = of === 'containers' ? 'containers/by-name' : 'volumes';
  return entries(join(root, folder))
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.'));
}

/** Tags below a folder of `refs/`; `parts` is the way to it. */
function refNames(folder: string, parts: readonly string[]): readonly string[] {
  return entries(folder).flatMap((entry) => {
    const way = [...parts, entry.name];
    if (entry.isDirectory()) return refNames(join(folder, entry.name), way);
    const isTag = isRefFolder(parts.at(-1) ?? '');
    const reference = isTag ? referenceAt(way) : undefined;
    return reference?.tag === undefined ? [] : [familiarName(reference)];
  });
}

function entries(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
