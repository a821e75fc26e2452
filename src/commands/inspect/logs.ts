import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { oclifFlags, toggle, value } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { containerLogs, type LogOptions } from '../../container/show/logs.ts';
import { integer, time } from '../../options/kinds.ts';
import type { ValueKind } from '../../options/value-kind.ts';

/** Docker takes `all`, and anything below 0, for no limit. */
const lineCount: ValueKind<number> = {
  ...integer,
  parse: (text, where) => {
    const lines = text === 'all' ? -1 : integer.parse(text, where);
    return lines !== undefined && lines < 0 ? Number.POSITIVE_INFINITY : lines;
  },
};

export default class Logs extends BaseCommand {
  static override summary = 'Show what a container has printed';
  static override usage = '[OPTIONS] CONTAINER';
  static override arity = [1, 1] as const;
  static override flags = {
    ...oclifFlags({ details: { form: 'switch', missing: 'leave it out: there are no details besides' } }),
    follow: toggle({ char: 'f', description: 'go on until the container has ended' }),
    since: value(time, { description: 'only what is later: a time, or how long ago, such as 10m' }),
    tail: value(lineCount, { char: 'n', description: 'only the last lines: how many, or all' }),
    timestamps: toggle({ char: 't', description: 'show when each line was printed' }),
    until: value(time, { description: 'only what is earlier: a time, or how long ago' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Logs);
    const { signal } = this.signals;
    const { engine } = this;
    const call = this.call();
    await sweepContainers(engine, this.call());
    const options: LogOptions = {
      follow: flags.follow,
      timestamps: flags.timestamps,
      since: flags.since,
      until: flags.until,
      tail: flags.tail === Number.POSITIVE_INFINITY ? undefined : flags.tail,
    };
    const record = await findContainer(engine.paths, args[0]!);
    for await (const { stream, data } of containerLogs(engine, call, record, options)) {
      const output: Writable = process[stream];
      if (output.write(data)) continue;
      // What has failed never drains.
      if (output.errored !== null) throw output.errored;
      await once(output, 'drain', { signal });
    }
  }
}
