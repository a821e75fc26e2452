import type { CommandTable } from './cli/main-program.ts';

/** Every name that a user can type, and the module behind it. Docker's grouped and short names share one module. */
export const COMMANDS: CommandTable = {
  'system:check': () => import('./commands/system/check.ts'),
  version: () => import('./commands/version.ts'),
};
