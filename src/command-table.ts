import type { CommandTable } from './cli/main-program.ts';

/** Every name that a user can type, and the module behind it. Docker's grouped and short names share one module. */
export const COMMANDS: CommandTable = {
  'image:pull': () => import('./commands/pull.ts'),
  'image:push': () => import('./commands/push.ts'),
  login: () => import('./commands/login.ts'),
  logout: () => import('./commands/logout.ts'),
  pull: () => import('./commands/pull.ts'),
  push: () => import('./commands/push.ts'),
  'system:check': () => import('./commands/system/check.ts'),
  version: () => import('./commands/version.ts'),
};
