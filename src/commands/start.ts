import { BaseCommand } from '../cli/base-command.ts';
import { forEachTarget } from '../cli/each-target.ts';
import { missingFlags } from '../cli/missing-flags.ts';
import { openRenderer } from '../cli/renderer.ts';
import { cleanupCommand } from '../cli/self-command.ts';
import { findContainer } from '../container/container-catalog.ts';
import { startContainer } from '../container/start-container.ts';
import { sweepContainers } from '../container/sweep-containers.ts';
import { openSession } from '../session.ts';

export default class Start extends BaseCommand {
  static override summary = 'Start containers that do not run';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = missingFlags({
    texts: ['detach-keys'],
    toggles: ['attach', 'interactive'],
    short: { attach: 'a', interactive: 'i' },
    hint: 'start it in the background, and follow it with: ocits logs -f',
  });

  async run(): Promise<void> {
    const { args } = await this.read(Start);
    const { signal } = this.signals;
    const session = openSession({ emit: openRenderer('quiet').emit, signal });
    await sweepContainers(session);
    await forEachTarget(args, async (name) => {
      const record = await findContainer(session.paths, name);
      await startContainer(session, record, { cleanupCommand: cleanupCommand(session.paths), signal });
      return name;
    });
  }
}
