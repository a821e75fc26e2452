import { BaseCommand } from '../../cli/base-command.ts';
import { cleanupAfterConmon } from '../../container/clear/clear-container.ts';

/** What conmon runs when a container has ended. */
export default class ContainerCleanup extends BaseCommand {
  static override summary = 'Clear up after containers that have ended';
  static override usage = 'CONTAINER [CONTAINER...]';
  static override hidden = true;
  static override arity = [1, Number.POSITIVE_INFINITY] as const;

  async run(): Promise<void> {
    const { args } = await this.read(ContainerCleanup);
    const { engine } = this;
    for (const id of args) await cleanupAfterConmon(engine, id);
  }
}
