import { BaseCommand } from '../../cli/base-command.ts';
import { COMPLETION_SCRIPTS } from '../../cli/completion/scripts.ts';

export default class CompletionBash extends BaseCommand {
  static override summary = 'Print the completion script for bash';
  static override usage = '';

  async run(): Promise<void> {
    await this.read(CompletionBash);
    this.print(COMPLETION_SCRIPTS.bash.trimEnd());
  }
}
