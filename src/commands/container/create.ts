import { writeCidFile } from '../../cli/argv/flag-files.ts';
import { oclifFlags } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { CREATE_EXIT_CODES } from '../../cli/exit-codes.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { createContainer } from '../../container/create/create-container.ts';
import { CREATE_FLAGS } from '../../container/flags/create-flags.ts';
import { MISSING_CREATE_FLAGS } from '../../container/flags/missing-create-flags.ts';
import { requestFromFlags } from './request-from-flags.ts';
import { pullFlags } from './run-flags.ts';

export default class Create extends BaseCommand {
  static override summary = 'Make a container from an image, without starting it';
  static override usage = '[OPTIONS] IMAGE [COMMAND] [ARG...]';
  static override interspersed = false;
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override exitCodes = CREATE_EXIT_CODES;
  static override flags = { ...oclifFlags(MISSING_CREATE_FLAGS), ...oclifFlags(CREATE_FLAGS), ...pullFlags };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Create);
    const request = requestFromFlags(flags, args);
    const renderer = openRenderer(flags.quiet ? 'quiet' : undefined);
    const { engine } = this;
    const call = this.call(renderer);
    await sweepContainers(engine, this.call());
    const { id } = await createContainer(engine, call, request, { pull: flags.pull }).finally(() =>
      renderer.close(),
    );
    writeCidFile(flags.cidfile, id);
    this.print(id);
  }
}
