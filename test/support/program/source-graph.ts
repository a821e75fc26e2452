import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';

/** An import, an export from elsewhere, or an import at run time. Paths are relative to the folder that was read. */
export interface SourceImport {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

export interface SourceExport {
  readonly file: string;
  readonly name: string;
}

/** What the files of a folder import of each other, and what they declare and export. */
export interface SourceGraph {
  readonly files: readonly string[];
  readonly imports: readonly SourceImport[];
  readonly exports: readonly SourceExport[];
}

/** Reads every TypeScript file below `folder` with a real parser. */
export function readSourceGraph(folder: string): SourceGraph {
  const files = globSync('**/*.ts', { cwd: folder }).sort();
  const imports: SourceImport[] = [];
  const exports: SourceExport[] = [];
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    const { module, errors } = parseSync(file, text);
    if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
    const add = (specifier: string, typeOnly: boolean) => {
      if (!specifier.startsWith('.')) return;
      imports.push({ from: file, to: relative(folder, join(folder, dirname(file), specifier)), typeOnly });
    };
    for (const { moduleRequest, entries } of module.staticImports) {
      add(moduleRequest.value, entries.length > 0 && entries.every(({ isType }) => isType));
    }
    for (const { entries } of module.staticExports) {
      for (const { moduleRequest, exportName, isType } of entries) {
        if (moduleRequest !== null) add(moduleRequest.value, isType);
        else if (exportName.name !== null) exports.push({ file, name: exportName.name });
      }
    }
    for (const { moduleRequest } of module.dynamicImports) {
      const literal = /^(['"])(.+)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end));
      if (literal !== null) add(literal[2]!, false);
    }
  }
  return { files, imports, exports };
}

/** The groups of nodes that reach each other, by the arrows `next` gives: none where there is no way round. */
export function cyclesOf(nodes: readonly string[], next: (node: string) => readonly string[]): string[][] {
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const waiting = [...next(start)];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      waiting.push(...next(node));
    }
    return seen;
  };
  const reached = new Map(nodes.map((node) => [node, reach(node)]));
  const inCycle = nodes.filter((node) => reached.get(node)!.has(node));
  const groups = new Map<string, string[]>();
  for (const node of inCycle) {
    const group = inCycle.filter((other) => reached.get(node)!.has(other) && reached.get(other)!.has(node));
    groups.set(group.join(' '), group);
  }
  return [...groups.values()];
}
