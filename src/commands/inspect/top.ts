import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { containerProcesses } from '../../container/show/processes.ts';
import { openSession } from '../../session.ts';

export default class Top extends BaseCommand {
  static override summary = 'Show the processes of a running container';
  static override usage = 'CONTAINER [ps OPTIONS]';
  static override interspersed = false;
  static override arity = [1, Number.POSITIVE_INFINITY] as const;

  async run(): Promise<void> {
    const { args } = await this.read(Top);
    const [name = '', ...options] = args;
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    const lines = await containerProcesses(session, await findContainer(session.paths, name), options);
    this.print(lines.join('\n'));
  }
}
