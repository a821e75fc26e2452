import { BaseCommand } from '../../cli/base-command.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { containerState } from '../../container/record/state.ts';
import { publishedPorts } from '../../container/show/list-containers.ts';
import { OcitsError } from '../../errors.ts';
import { formatHostIp, parseExposed } from '../../options/ports.ts';

export default class Port extends BaseCommand {
  static override summary = 'Show where the ports of a container are published';
  static override usage = 'CONTAINER [PORT[/PROTOCOL]]';
  static override arity = [1, 2] as const;

  async run(): Promise<void> {
    const { args } = await this.read(Port);
    const [name = '', wanted] = args;
    const { engine } = this;
    const record = await findContainer(engine.paths, name);
    const ports = await publishedPorts(engine, record, containerState(engine.paths, record.id));
    const lines = ports.map((port) => ({
      key: `${port.containerPort}/${port.protocol}`,
      address: `${formatHostIp(port.hostIp)}:${port.hostPort}`,
    }));
    if (wanted === undefined) {
      for (const { key, address } of lines) this.print(`${key} -> ${address}`);
      return;
    }
    const [key] = parseExposed(wanted);
    const found = lines.filter((line) => line.key === key);
    if (found.length === 0)
      throw new OcitsError('not-found', `port ${key} of container ${name} is not published`);
    for (const { address } of found) this.print(address);
  }
}
