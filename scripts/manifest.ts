import { COMMANDS } from '../src/command-table.ts';

interface CommandStatics {
  readonly summary?: string;
  readonly usage?: string | string[];
  readonly hidden?: boolean;
  readonly flags?: Record<string, object>;
}

/** oclif.manifest.json: every command with its flags, for oclif's own tools and for shells' completion. */
export async function writeManifest(version: string): Promise<object> {
  const commands: Record<string, object> = {};
  for (const [id, load] of Object.entries(COMMANDS).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { default: command } = (await load()) as { default: CommandStatics };
    const { summary, usage, hidden = false, flags = {} } = command;
    const plainFlags = Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [name, { ...JSON.parse(JSON.stringify(flag)), name }]),
    );
    commands[id] = {
      id,
      summary,
      usage,
      hidden,
      strict: false,
      aliases: [],
      args: {},
      flags: plainFlags,
      pluginName: 'ocits',
      pluginType: 'core',
    };
  }
  return { commands, version };
}
