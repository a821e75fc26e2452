import { requireProgram } from '../../system/process/programs.ts';
import { runTool } from '../../system/process/spawn.ts';
import type { FirewallRule } from './firewall.ts';

/** A rule as iptables-save prints it. */
export interface SavedRule {
  readonly table: string;
  /** The whole line, such as `-A POSTROUTING -s …`. */
  readonly line: string;
  readonly tag: string;
}

/** What of ours the kernel has. */
export interface SavedRules {
  readonly rules: readonly SavedRule[];
  /** Chains that somebody made, as `table/name`. */
  readonly chains: ReadonlySet<string>;
}

/** Reads all rules with a tag of ours, and the names of all chains, by one call of iptables-save. */
export async function savedRules(): Promise<SavedRules> {
  const { stdout } = await runTool(requireProgram('iptables-save'), []);
  return parseSaved(stdout.toString());
}

function parseSaved(text: string): SavedRules {
  const rules: SavedRule[] = [];
  const chains = new Set<string>();
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    else if (line.startsWith(':')) chains.add(`${table}/${line.slice(1, line.indexOf(' '))}`);
    else if (line.startsWith('-A ')) {
      const tag = /--comment "?(ocits:[^\s"]+)"?/.exec(line)?.[1];
      if (tag !== undefined) rules.push({ table, line, tag });
    }
  }
  return { rules, chains };
}

/** The input of `iptables-restore --noflush` that adds those of `wanted` that are missing; undefined where none is. */
export function additions(
  wanted: readonly FirewallRule[],
  ownChains: readonly string[],
  saved: SavedRules,
): string | undefined {
  const there = new Set(saved.rules.map((rule) => rule.tag));
  const missing = wanted.filter((rule) => !there.has(rule.tag));
  const sections = ['nat', 'filter'].flatMap((table) => {
    // Naming a chain that is there would empty it.
    const chains = ownChains.filter((chain) => chain.startsWith(`${table}/`) && !saved.chains.has(chain));
    const rules = missing.filter((rule) => rule.table === table);
    if (chains.length + rules.length === 0) return [];
    return [
      `*${table}`,
      ...chains.map((chain) => `:${chain.slice(table.length + 1)} - [0:0]`),
      ...rules.map(
        ({ place, chain, tag, spec }) =>
          `${place === 'first' ? '-I' : '-A'} ${chain} -m comment --comment "${tag}" ${spec}`,
      ),
      'COMMIT',
    ];
  });
  return sections.length === 0 ? undefined : `${sections.join('\n')}\n`;
}

/** The input that deletes saved rules, and then chains; undefined where there is nothing to delete. */
export function deletions(rules: readonly SavedRule[], chains: readonly string[]): string | undefined {
  const sections = ['nat', 'filter'].flatMap((table) => {
    const lines = [
      ...rules.filter((rule) => rule.table === table).map(({ line }) => line.replace(/^-A/, '-D')),
      ...chains
        .filter((chain) => chain.startsWith(`${table}/`))
        .map((chain) => chain.slice(table.length + 1))
        .flatMap((name) => [`-F ${name}`, `-X ${name}`]),
    ];
    return lines.length === 0 ? [] : [`*${table}`, ...lines, 'COMMIT'];
  });
  return sections.length === 0 ? undefined : `${sections.join('\n')}\n`;
}

/** Carries out such an input; each table changes as a whole or not at all. */
export async function restoreRules(input: string | undefined): Promise<void> {
  if (input !== undefined)
    await runTool(requireProgram('iptables-restore'), ['--noflush', '--wait'], { input });
}
