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
      Object.entries(flags).map(([name, flag]) => {
        // The entry of the table is where all the rest comes from.
        const { entry: _, ...plain } = JSON.parse(JSON.stringify(flag)) as { readonly entry?: object };
        return [name, { ...plain, name }];
      }),
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
