import { runProgram } from './cli/main-program.ts';
import { COMMANDS } from './command-table.ts';
import { programVersion } from './version.ts';

await runProgram(process.argv.slice(2), {
  version: programVersion(),
  commands: COMMANDS,
  showHelp: async (id) => (await import('./cli/help.ts')).showHelp(id, COMMANDS),
});
