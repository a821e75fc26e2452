import type { FlagShape } from './argv/docker-args.ts';
import type { CommandTable } from './main-program.ts';

/** What help prints of a command: a part of its class. */
export interface CommandText {
  readonly id: string;
  readonly summary?: string | undefined;
  /** Behind `ocits NAME`, such as `[OPTIONS] IMAGE`. */
  readonly usage?: string | readonly string[] | undefined;
  readonly hidden?: boolean | undefined;
  readonly flags?: Readonly<Record<string, FlagText>> | undefined;
}

interface FlagText extends FlagShape {
  readonly description?: string | undefined;
  readonly hidden?: boolean | undefined;
}

/** The help of one command, in Docker's layout. */
export function commandHelp(command: CommandText): string {
  const name = command.id.replace(':', ' ');
  const usage = [command.usage ?? '[OPTIONS]'].flat().map((line) => `ocits ${name} ${line}`.trimEnd());
  const flags = Object.entries(command.flags ?? {}).filter(([, flag]) => flag.hidden !== true);
  const rows = flags.sort(([a], [b]) => (a < b ? -1 : 1)).map(([flagName, flag]) => flagRow(flagName, flag));
  const parts = [
    `Usage:  ${usage.join('\n        ')}`,
    command.summary ?? '',
    ...(rows.length === 0 ? [] : [`Options:\n${columns(rows)}`]),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function flagRow(name: string, flag: FlagText): readonly [string, string] {
  const short = flag.char === undefined ? '    ' : `-${flag.char}, `;
  const value = flag.type === 'boolean' ? '' : flag.multiple === true ? ' list' : ' string';
  const options = flag.options === undefined ? '' : ` (${flag.options.join('|')})`;
  return [`${short}--${name}${value}`, `${flag.description ?? ''}${options}`];
}

/** The list of all commands, those of a topic (`ocits image …`) apart from the everyday ones. */
export function overviewHelp(commands: readonly CommandText[], topic: string | undefined): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  if (topic !== undefined) {
    const rows = shown
      .filter(({ id }) => id.startsWith(`${topic}:`))
      .map(({ id, summary }) => [id.slice(topic.length + 1), summary ?? ''] as const);
    return `Usage:  ocits ${topic} COMMAND\n\nCommands:\n${columns(rows)}\n\nRun 'ocits ${topic} COMMAND --help' for more information on a command.\n`;
  }
  const plain = shown
    .filter(({ id }) => !id.includes(':'))
    .map(({ id, summary }) => [id, summary ?? ''] as const);
  const topics = [...new Set(shown.filter(({ id }) => id.includes(':')).map(({ id }) => id.split(':')[0]!))];
  const topicRows = topics.map((name) => [name, `Manage ${TOPIC_WORDS[name] ?? name}`] as const);
  return [
    'Usage:  ocits [--debug] COMMAND',
    'Builds OCI images and runs containers, with no daemon',
    `Commands:\n${columns(plain)}`,
    `Management Commands:\n${columns(topicRows)}`,
    "Run 'ocits COMMAND --help' for more information on a command.\n",
  ].join('\n\n');
}

const TOPIC_WORDS: Readonly<Record<string, string>> = {
  builder: 'the build cache',
  completion: 'completion of command lines in shells',
  container: 'containers',
  image: 'images',
  network: 'networks',
  system: 'ocits itself',
  volume: 'volumes',
};

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`.trimEnd()).join('\n');
}

/** Loads what `id` names and gives its help: a command's, a topic's list, or the list of all. */
export async function helpText(id: string | undefined, table: CommandTable): Promise<string> {
  if (id !== undefined && Object.hasOwn(table, id)) {
    return commandHelp(await loadText(id, table));
  }
  const ids = Object.keys(table).filter((name) => id === undefined || name.startsWith(`${id}:`));
  const texts = await Promise.all(ids.map((name) => loadText(name, table)));
  texts.sort((a, b) => (a.id < b.id ? -1 : 1));
  return overviewHelp(texts, id);
}

async function loadText(id: string, table: CommandTable): Promise<CommandText> {
  const module = await table[id]!();
  const command = module.default as Omit<CommandText, 'id'>;
  return { id, summary: command.summary, usage: command.usage, hidden: command.hidden, flags: command.flags };
}
