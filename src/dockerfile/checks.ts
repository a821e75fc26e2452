import type { Dockerfile, DockerfileWarning } from './instruction.ts';
import type { ParsedLine } from './parse.ts';
export function runChecks(
  _file: Omit<Dockerfile, 'warnings'>,
  _lines: readonly ParsedLine[],
): DockerfileWarning[] {
  return [];
}
