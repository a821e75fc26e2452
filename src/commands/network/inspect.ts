import { formatFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { NETWORK } from '../../cli/shapes/network-shape.ts';
import { inspectTargets } from '../../cli/template/inspect-output.ts';
import { inspectNetwork } from '../../network/inspect-network.ts';

export default class NetworkInspect extends BaseCommand {
  static override summary = 'Show all that is known of networks';
  static override usage = '[OPTIONS] NETWORK [NETWORK...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    format: formatFlag,
    verbose: toggle({ char: 'v', description: 'has no effect: it is for swarms', hidden: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(NetworkInspect);
    const { engine } = this;
    const controller = await engine.network();
    await inspectTargets(args, flags.format, async (name) => {
      return { data: await inspectNetwork(controller, name), shape: NETWORK };
    });
  }
}
