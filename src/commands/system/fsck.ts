import { jsonFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { checkStore, type StoreFault } from '../../image/garbage/check-store.ts';

export default class SystemFsck extends BaseCommand {
  static override summary = 'Hold all content of the store against its digests';
  static override usage = '[OPTIONS]';
  static override flags = {
    json: jsonFlag,
    repair: toggle({
      description: 'delete what is damaged, so that the next pull, load or build makes it again',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(SystemFsck);
    const { signal } = this.signals;
    const { engine } = this;
    const faults: StoreFault[] = [];
    for await (const fault of checkStore(await engine.store(), { isRepairing: flags.repair, signal })) {
      faults.push(fault);
      if (!flags.json) this.print(`${fault.kind}: ${fault.text}`);
    }
    if (flags.json) this.printJson(faults);
    if (faults.some(({ kind }) => kind !== 'missing-layer')) process.exitCode = 1;
  }
}
