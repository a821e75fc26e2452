import { BaseCommand } from '../../cli/base-command.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { waitForContainer } from '../../container/end/wait-for-container.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { containerState } from '../../container/record/state.ts';

export default class Wait extends BaseCommand {
  static override summary = 'Wait until containers have ended, and print their exit codes';
  static override usage = 'CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;

  async run(): Promise<void> {
    const { args } = await this.read(Wait);
    const { signal } = this.signals;
    const { engine } = this;
    await sweepContainers(engine, this.call());
    await forEachTarget(args, async (name) => {
      const { id } = await findContainer(engine.paths, name);
      const state = containerState(engine.paths, id);
      if (state.status !== 'running') return String(state.exitCode);
      return String((await waitForContainer(engine.paths, id, signal)).exitCode);
    });
  }
}
