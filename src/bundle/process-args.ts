import { splitPair } from '../options/pair.ts';
/** What decides a container's command line. `undefined` and `null`: not given. */
export interface ArgumentSources {
  readonly imageEntrypoint?: readonly string[] | null | undefined;
  readonly imageCommand?: readonly string[] | null | undefined;
  /** `--entrypoint`; an empty list clears the image's. */
  readonly entrypoint?: readonly string[] | undefined;
  /** What follows the image on the command line; an empty list is none. */
  readonly command?: readonly string[] | undefined;
}

/**
 * Docker's rules: entrypoint, then command. A command of the user's replaces the image's; an entrypoint of the user's
 * replaces the image's and drops the image's command with it. The result may be empty: then nothing can be run.
 */
export function resolveArgs(sources: ArgumentSources): readonly string[] {
  const { entrypoint, command = [] } = sources;
  if (entrypoint !== undefined) return [...entrypoint, ...command];
  return [
    ...(sources.imageEntrypoint ?? []),
    ...(command.length > 0 ? command : (sources.imageCommand ?? [])),
  ];
}

/** Docker's, for an image that sets none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentSources {
  /** `NAME=value`; anything else is passed over. */
  readonly image?: readonly string[] | null | undefined;
  /** `NAME=value` sets, `NAME` alone removes. Later ones win. */
  readonly user?: readonly string[] | undefined;
  readonly home: string;
  readonly hostname?: string | undefined;
  readonly terminal: boolean;
}

/**
 * The environment of a container's process, as in Docker. PATH and HOSTNAME have defaults, and so has TERM where there
 * is a terminal. The image's variables replace the defaults, and the user's replace the image's. HOME comes from passwd
 * where nobody has set it. Each name is there once. Nothing of the host's environment gets in.
 */
export function containerEnvironment(sources: EnvironmentSources): readonly string[] {
  const variables = new Map<string, string>([['PATH', DEFAULT_PATH]]);
  if (sources.hostname !== undefined) variables.set('HOSTNAME', sources.hostname);
  if (sources.terminal) variables.set('TERM', 'xterm');
  for (const text of sources.image ?? []) {
    const [name, value] = splitPair(text);
    if (name !== '' && value !== undefined) variables.set(name, value);
  }
  for (const text of sources.user ?? []) setVariable(variables, text);
  if (!variables.has('HOME')) variables.set('HOME', sources.home);
  return Array.from(variables, ([name, value]) => `${name}=${value}`);
}

function setVariable(variables: Map<string, string>, text: string): void {
  const [name, value] = splitPair(text);
  if (value === undefined) variables.delete(name);
  else variables.set(name, value);
}
