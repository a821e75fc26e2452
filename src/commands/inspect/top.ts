import { BaseCommand } from '../../cli/base-command.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { containerProcesses } from '../../container/show/processes.ts';

export default class Top extends BaseCommand {
  static override summary = 'Show the processes of a running container';
  static override usage = 'CONTAINER [ps OPTIONS]';
  static override interspersed = false;
  static override arity = [1, Number.POSITIVE_INFINITY] as const;

  async run(): Promise<void> {
    const { args } = await this.read(Top);
    const [name = '', ...options] = args;
    const { engine } = this;
    const lines = await containerProcesses(engine, await findContainer(engine.paths, name), options);
    this.print(lines.join('\n'));
  }
}
