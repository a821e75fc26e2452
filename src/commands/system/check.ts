import { jsonFlag } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { formatTable } from '../../cli/output/table.ts';

export default class SystemCheck extends BaseCommand {
  static override summary = 'Show what of the host ocits can use, and how to get what is missing';
  static override usage = '[OPTIONS]';
  static override flags = { json: jsonFlag };

  async run(): Promise<void> {
    const { flags } = await this.read(SystemCheck);
    const { checkHost } = await import('../../system/process/host-check.ts');
    const findings = await checkHost();
    if (flags.json) this.printJson(findings);
    else {
      const rows = findings.map(({ name, state, detail, hint }) => [
        name,
        state,
        hint === undefined ? detail : `${detail}; try: ${hint}`,
      ]);
      this.print(formatTable(['CHECK', 'STATE', 'DETAIL'], rows));
    }
    if (findings.some(({ state }) => state === 'missing')) process.exitCode = 1;
  }
}
