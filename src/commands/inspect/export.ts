import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { exportContainer } from '../../container/show/export-container.ts';
import { OcitsError } from '../../errors.ts';

export default class Export extends BaseCommand {
  static override summary = "Write a container's files as a tar archive";
  static override usage = '[OPTIONS] CONTAINER';
  static override arity = [1, 1] as const;
  static override flags = {
    output: text({ char: 'o', names: ['files'], description: 'write to a file, not to standard output' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Export);
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new OcitsError('usage', 'a tar archive is nothing for a terminal: use --output, or redirect it');
    }
    const { engine } = this;
    const record = await findContainer(engine.paths, args[0]!);
    const output =
      flags.output === undefined ? process.stdout : createWriteStream(flags.output, { mode: 0o600 });
    await exportContainer(engine, this.call(), record, output);
    // What is still to be written may fail, too.
    if (output !== process.stdout) await finished(output.end());
  }
}
