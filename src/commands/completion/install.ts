/**
 * The room of the commands that bring completion to a shell: `completion bash`, `fish` and `zsh` print the script,
 * `completion install` puts it where the shell looks. Only the table of commands loads them. What can stand at the
 * cursor is not their affair: the scripts ask `ocits __complete`.
 *
 *     $ ocits completion install zsh
 *     const { path, note } = completionFile('zsh', process.env, isRoot);
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { BaseCommand } from '../../cli/base-command.ts';
import { COMPLETION_SCRIPTS, SHELLS } from '../../cli/completion/scripts.ts';
import { OcitsError } from '../../errors.ts';
import { completionFile } from './script-file.ts';

export default class CompletionInstall extends BaseCommand {
  static override summary = 'Install the completion script for a shell';
  static override usage = '[bash|zsh|fish]';
  static override arity = [0, 1] as const;

  async run(): Promise<void> {
    const { args } = await this.read(CompletionInstall);
    const name = args[0] ?? basename(process.env['SHELL'] ?? '');
    const shell = SHELLS.find((each) => each === name);
    if (shell === undefined) {
      throw new OcitsError('usage', `there is no completion for the shell ${JSON.stringify(name)}`, {
        hint: `name one of ${SHELLS.join(', ')}`,
      });
    }
    const { path, note } = completionFile(shell, process.env, this.engine.access.isRoot);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, COMPLETION_SCRIPTS[shell]);
    this.print(path);
    this.complain(note);
  }
}
