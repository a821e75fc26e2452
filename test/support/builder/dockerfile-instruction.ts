import type { Instruction } from '../../../src/dockerfile/instruction.ts';
import { parseDockerfile } from '../../../src/dockerfile/parse/parse.ts';

/** The last instruction of a Dockerfile that has `text` behind a FROM. */
export function instruction<K extends Instruction['kind']>(
  kind: K,
  text: string,
): Extract<Instruction, { kind: K }> {
  const { stages } = parseDockerfile(`FROM scratch\n${text}\n`, 'Dockerfile');
  const stage = stages.at(-1)!;
  const last = stage.instructions.at(-1) ?? stage.from;
  if (last.kind !== kind) throw new Error(`wanted ${kind}, got ${last.kind}`);
  return last as Extract<Instruction, { kind: K }>;
}
