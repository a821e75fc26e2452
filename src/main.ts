import { runProgram } from './cli/main-program.ts';
import { COMMANDS } from './command-table.ts';
import { openEngine } from './open-engine.ts';
import { programVersion } from './version.ts';

/** Resolves when the command has ended; it has printed its failure and set the exit code. */
export const ended = runProgram(process.argv.slice(2), {
  version: programVersion(),
  commands: COMMANDS,
  openEngine: () => openEngine(),
  complete: async (words) => (await import('./complete-words.ts')).printCandidates(words),
  helpText: async (id) => (await import('./cli/help.ts')).helpText(id, COMMANDS),
});
