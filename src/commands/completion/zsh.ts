import { BaseCommand } from '../../cli/base-command.ts';
import { COMPLETION_SCRIPTS } from '../../cli/completion/scripts.ts';

export default class CompletionZsh extends BaseCommand {
  static override summary = 'Print the completion script for zsh';
  static override usage = '';

  async run(): Promise<void> {
    await this.read(CompletionZsh);
    this.print(COMPLETION_SCRIPTS.zsh.trimEnd());
  }
}
