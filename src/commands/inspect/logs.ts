import { once } from 'node:events';
import { text, toggle } from '../../cli/argv/flags.ts';
import { missingFlags } from '../../cli/argv/missing-flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { readInteger } from '../../container/flags/parse-values.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { containerLogs, type LogOptions } from '../../container/show/logs.ts';
import { OcitsError } from '../../errors.ts';
import { parseTime } from '../../options/time.ts';
import { openSession } from '../../session.ts';

export default class Logs extends BaseCommand {
  static override summary = 'Show what a container has printed';
  static override usage = '[OPTIONS] CONTAINER';
  static override arity = [1, 1] as const;
  static override flags = {
    ...missingFlags({ toggles: ['details'] }),
    follow: toggle({ char: 'f', description: 'go on until the container has ended' }),
    since: text({ description: 'only what is later: a time, or how long ago, such as 10m' }),
    tail: text({ char: 'n', description: 'only the last lines: how many, or all' }),
    timestamps: toggle({ char: 't', description: 'show when each line was printed' }),
    until: text({ description: 'only what is earlier: a time, or how long ago' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Logs);
    const { signal } = this.signals;
    const session = openSession({ emit: openRenderer('quiet').emit, signal });
    await sweepContainers(session);
    const options: LogOptions = {
      signal,
      follow: flags.follow,
      timestamps: flags.timestamps,
      since: readTime(flags.since, '--since'),
      until: readTime(flags.until, '--until'),
      ...tailOption(flags.tail),
    };
    const record = await findContainer(session.paths, args[0]!);
    for await (const { stream, data } of containerLogs(session.paths, record, options)) {
      if (!process[stream].write(data)) await once(process[stream], 'drain', { signal });
    }
  }
}

/** Docker takes `all`, and anything below 0, for no limit. */
function tailOption(tail: string | undefined): { readonly tail?: number } {
  if (tail === undefined || tail === 'all') return {};
  const lines = readInteger(tail, '--tail');
  return lines < 0 ? {} : { tail: lines };
}

function readTime(text: string | undefined, flag: string): Date | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new OcitsError(
    'invalid-argument',
    `${flag}: ${JSON.stringify(text)} is neither a time nor a duration such as 10m`,
  );
}
