/**
 * The room of completion: the scripts for bash, zsh and fish, and what can stand at the cursor. `complete-words.ts`
 * answers the scripts by it, and the commands of `completion` print or install them. It opens no store: names come
 * from `readNames`, which looks at file names alone. At most one command is loaded.
 *
 *     const table = { commands: COMMANDS, hidden: HIDDEN_COMMANDS };
 *     const lines = await completeLine(['stop', 'we'], table, (of) => (of === 'containers' ? ['web'] : []));
 */

import type { NamedThing } from '../../options/flag-table.ts';
import type { CommandTable } from '../main-program.ts';
import { printableLine } from '../output/printable.ts';
import {
  type Candidate,
  type CompletedCommand,
  type CompletionPlace,
  completeCommand,
} from './candidates.ts';
import { FILES_LINE } from './scripts.ts';

/** The names that there are of something, read from files alone. */
export type ReadNames = (of: NamedThing) => readonly string[];

/**
 * The lines that `ocits __complete` prints for what is typed behind `ocits`. The last word is still being typed. Loads
 * the one command that the line names. Hidden commands are no candidates.
 */
export async function completeLine(
  typed: readonly string[],
  { commands, hidden }: { readonly commands: CommandTable; readonly hidden: ReadonlySet<string> },
  readNames: ReadNames,
): Promise<readonly string[]> {
  const words = withoutDebug(typed);
  const current = words.at(-1) ?? '';
  const depth =
    words.length < 2 ? 0 : words.length > 2 && Object.hasOwn(commands, `${words[0]}:${words[1]}`) ? 2 : 1;
  const id = words.slice(0, depth).join(':');
  if (depth === 0 || !Object.hasOwn(commands, id)) {
    if (depth === 1 && words.length > 2) return [];
    return commandNames(
      Object.keys(commands).filter((each) => !hidden.has(each)),
      id,
    )
      .filter((name) => name.startsWith(current))
      .sort();
  }
  const command = (await commands[id]!()).default as CompletedCommand;
  const { candidates, places } = completeCommand(command, words.slice(depth));
  const found = [...candidates, ...places.flatMap((place) => wordsAt(place, readNames))];
  const lines = found.filter(({ word }) => word.startsWith(current)).map(candidateLine);
  return places.some(({ kind }) => kind === 'files') ? [...lines, FILES_LINE] : lines;
}

function withoutDebug(typed: readonly string[]): readonly string[] {
  const at = typed.findIndex((word) => word !== '--debug' && word !== '-D');
  return typed.slice(at < 0 ? -1 : at);
}

/** The first words of all commands, or the second ones of a topic's. */
function commandNames(ids: readonly string[], topic: string): string[] {
  if (topic === '') return [...new Set(ids.map((id) => id.split(':')[0]!))];
  return ids.filter((id) => id.startsWith(`${topic}:`)).map((id) => id.slice(topic.length + 1));
}

function wordsAt(place: CompletionPlace, readNames: ReadNames): Candidate[] {
  if (place.kind === 'files') return [];
  return (place.kind === 'words' ? place.words : readNames(place.of)).map((word) => ({ word }));
}

function candidateLine({ word, description }: Candidate): string {
  return [word, ...(description === undefined ? [] : [description])].map(printableLine).join('\t');
}
