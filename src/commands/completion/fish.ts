import { BaseCommand } from '../../cli/base-command.ts';
import { COMPLETION_SCRIPTS } from '../../cli/completion/scripts.ts';

export default class CompletionFish extends BaseCommand {
  static override summary = 'Print the completion script for fish';
  static override usage = '';

  async run(): Promise<void> {
    await this.read(CompletionFish);
    this.print(COMPLETION_SCRIPTS.fish.trimEnd());
  }
}
