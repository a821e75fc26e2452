import { BaseCommand } from '../../cli/base-command.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { waitForContainer } from '../../container/end/wait-for-container.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { containerState } from '../../container/record/state.ts';
import { openSession } from '../../session.ts';

export default class Wait extends BaseCommand {
  static override summary = 'Wait until containers have ended, and print their exit codes';
  static override usage = 'CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;

  async run(): Promise<void> {
    const { args } = await this.read(Wait);
    const { signal } = this.signals;
    const session = openSession({ emit: openRenderer('quiet').emit, signal });
    await sweepContainers(session);
    await forEachTarget(args, async (name) => {
      const { id } = await findContainer(session.paths, name);
      const state = containerState(session.paths, id);
      if (state.status !== 'running') return String(state.exitCode);
      return String((await waitForContainer(session.paths, id, signal)).exitCode);
    });
  }
}
