import type { Dockerfile, Stage, StageInstruction } from '../instruction.ts';
import type { Rule } from './rule.ts';

/** Rules about stages, and about what holds for a stage as a whole. */
export const STAGE_RULES: Readonly<Record<string, Rule>> = {
  *ReservedStageName({ dockerfile }) {
    for (const { from } of dockerfile.stages) {
      if (from.name !== 'scratch' && from.name !== 'context') continue;
      yield { range: from.range, message: `stage name '${from.name}' is reserved` };
    }
  },

  *DuplicateStageName({ dockerfile }) {
    const names = new Set<string>();
    for (const { from } of dockerfile.stages) {
      if (from.name !== undefined && names.has(from.name)) {
        yield { range: from.range, message: `duplicate stage name '${from.name}'` };
      }
      if (from.name !== undefined) names.add(from.name);
    }
  },

  *MultipleInstructionsDisallowed({ dockerfile }) {
    for (const stage of dockerfile.stages) {
      for (const kind of ['CMD', 'ENTRYPOINT', 'HEALTHCHECK']) {
        const found = stage.instructions.filter((instruction) => instruction.kind === kind);
        // The one that is ignored is the one to tell about.
        for (const { range } of found.slice(0, -1)) {
          yield { range, message: `only the last ${kind} of a stage counts` };
        }
      }
    }
  },

  *JSONArgsRecommended({ dockerfile }) {
    for (const stage of dockerfile.stages) {
      let ownShell = chain(dockerfile, stage).some(({ kind }) => kind === 'SHELL');
      for (const instruction of stage.instructions) {
        if (instruction.kind === 'SHELL') ownShell = true;
        if (instruction.kind !== 'CMD' && instruction.kind !== 'ENTRYPOINT') continue;
        if (instruction.command.form === 'exec' || ownShell) continue;
        const message = `JSON arguments recommended for ${instruction.kind}, so that signals reach the process`;
        yield { range: instruction.range, message };
      }
    }
  },

  *WorkdirRelativePath({ dockerfile }) {
    for (const stage of dockerfile.stages) {
      if (chain(dockerfile, stage).some(({ kind }) => kind === 'WORKDIR')) continue;
      const first = stage.instructions.find((instruction) => instruction.kind === 'WORKDIR');
      if (first === undefined || /^["']?[/$]/.test(first.path.text)) continue;
      const message = `relative WORKDIR '${first.path.text}' depends on the base image's working directory`;
      yield { range: first.range, message };
    }
  },
};

/** The instructions of the stages that `stage` starts from, the nearest last. */
function chain(dockerfile: Pick<Dockerfile, 'stages'>, stage: Stage): readonly StageInstruction[] {
  const base = dockerfile.stages
    .slice(0, stage.index)
    .findLast(({ from }) => from.name !== undefined && from.name === stage.from.base.text.toLowerCase());
  return base === undefined ? [] : [...chain(dockerfile, base), ...base.instructions];
}
