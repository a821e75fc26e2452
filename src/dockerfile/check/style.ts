import { splitFields } from '../text/split-words.ts';
import type { Rule } from './rule.ts';

/** Rules about how instructions are written. */
export const STYLE_RULES: Readonly<Record<string, Rule>> = {
  *ConsistentInstructionCasing({ lines }) {
    const keywords = lines.map(({ line }) => keywordOf(line.text));
    const lower = keywords.filter((word) => word === word.toLowerCase()).length;
    const upper = keywords.filter((word) => word === word.toUpperCase()).length;
    const casing = lower > upper ? 'lowercase' : 'uppercase';
    for (const [index, word] of keywords.entries()) {
      if (word === (lower > upper ? word.toLowerCase() : word.toUpperCase())) continue;
      const message = `instruction '${word}' should match the case of the majority (${casing})`;
      yield { range: lines[index]!.instruction.range, message };
    }
  },

  *FromAsCasing({ lines }) {
    for (const { instruction, line } of lines) {
      if (instruction.kind !== 'FROM' || instruction.name === undefined) continue;
      const from = keywordOf(line.text);
      const as = fromWords(line.text).at(-2)!;
      if (from !== from.toUpperCase() && from !== from.toLowerCase()) continue;
      const wanted = from === from.toUpperCase() ? as.toUpperCase() : as.toLowerCase();
      if (as === wanted) continue;
      yield { range: instruction.range, message: `the case of '${as}' and '${from}' does not match` };
    }
  },

  *StageNameCasing({ lines }) {
    for (const { instruction, line } of lines) {
      if (instruction.kind !== 'FROM' || instruction.name === undefined) continue;
      const written = fromWords(line.text).at(-1)!;
      if (written === instruction.name) continue;
      yield { range: instruction.range, message: `stage name '${written}' should be lowercase` };
    }
  },

  *NoEmptyContinuation({ lines }) {
    for (const { line } of lines) {
      for (const start of line.emptyContinuations) {
        yield { range: { start, end: start }, message: 'empty line between continuation lines' };
      }
    }
  },

  *LegacyKeyValueFormat({ lines }) {
    for (const { instruction } of lines) {
      if ((instruction.kind !== 'ENV' && instruction.kind !== 'LABEL') || !instruction.legacyForm) continue;
      const { kind, range } = instruction;
      yield { range, message: `'${kind} key=value' should be used instead of '${kind} key value'` };
    }
  },

  *MaintainerDeprecated({ lines }) {
    for (const { instruction } of lines) {
      if (instruction.kind !== 'MAINTAINER') continue;
      const message = 'MAINTAINER is deprecated: use LABEL org.opencontainers.image.authors=…';
      yield { range: instruction.range, message };
    }
  },
};

function keywordOf(text: string): string {
  return /^\S+/.exec(text)?.[0] ?? '';
}

function fromWords(text: string): string[] {
  return splitFields(text, 0).map((word) => word.text);
}
