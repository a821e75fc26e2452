import { expandWord } from '../../dockerfile/expand/expand-instruction.ts';
import type { Environment } from '../../dockerfile/expand/expand-word.ts';
import type { Dockerfile, Stage } from '../../dockerfile/instruction.ts';
import { parseRunMount } from '../../dockerfile/parse/run-mount.ts';
import type { Word } from '../../dockerfile/source.ts';
import { OcitsError } from '../../errors.ts';
import { type Platform, parsePlatform } from '../../oci/platform.ts';
import { parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';

/** An image of one platform that a stage starts from or copies from. */
export interface ImageOrigin {
  readonly kind: 'image';
  readonly reference: Reference;
  readonly platform: Platform;
  /** Where the Dockerfile names it. */
  readonly word: Word;
}

export interface StageOrigin {
  readonly kind: 'stage';
  readonly stage: GraphStage;
}

/** What a stage starts from. */
export type StageBase = { readonly kind: 'scratch' } | ImageOrigin | StageOrigin;

/** A stage that is needed, and what it needs. */
export interface GraphStage {
  readonly stage: Stage;
  /** Its name, else `stage-N`. */
  readonly name: string;
  readonly base: StageBase;
  readonly platform: Platform;
  /** What a `--from` of a COPY and each `from=` of a RUN's mounts names, by the word that has it. */
  readonly origins: ReadonlyMap<Word, ImageOrigin | StageOrigin>;
}

export interface StageGraph {
  readonly target: GraphStage;
  /** The target and all that it needs, in the order of the file. */
  readonly stages: readonly GraphStage[];
}

export interface GraphOptions {
  /** Name or number of the last stage that is wanted; the default is the last of the file. */
  readonly target?: string | undefined;
  readonly platform: Platform;
  /** The ARGs that a FROM may refer to. */
  readonly globalArgs: Environment;
}

/**
 * Finds the stages that the target needs, and what they start and copy from. Names stand for the nearest stage
 * above; a name that is no stage's is an image's. Stages that are not needed are not looked at any further.
 * Throws `invalid-argument` for a target that is not there, and located `syntax` errors.
 */
export function stageGraph(dockerfile: Dockerfile, options: GraphOptions): StageGraph {
  const target = findTarget(dockerfile, options.target);
  const builder = new GraphBuilder(dockerfile, options);
  const node = builder.stage(target);
  return { target: node, stages: builder.stages() };
}

function findTarget(dockerfile: Dockerfile, target: string | undefined): Stage {
  const { stages, file } = dockerfile;
  if (target === undefined || target === '') return stages.at(-1)!;
  const found =
    stages.findLast(({ from }) => from.name === target.toLowerCase()) ??
    (/^\d+$/.test(target) ? stages[Number(target)] : undefined);
  if (found !== undefined) return found;
  const names = stages.map(({ from, index }) => from.name ?? String(index));
  throw new OcitsError('invalid-argument', `target stage ${JSON.stringify(target)} is not in ${file}`, {
    hint: `its stages are ${names.join(', ')}`,
  });
}

class GraphBuilder {
  readonly #dockerfile: Dockerfile;
  readonly #options: GraphOptions;
  readonly #nodes = new Map<Stage, GraphStage>();

  constructor(dockerfile: Dockerfile, options: GraphOptions) {
    this.#dockerfile = dockerfile;
    this.#options = options;
  }

  stages(): GraphStage[] {
    return [...this.#nodes.values()].toSorted((a, b) => a.stage.index - b.stage.index);
  }

  /** Only earlier stages can be named, so this ends. */
  stage(stage: Stage): GraphStage {
    const known = this.#nodes.get(stage);
    if (known !== undefined) return known;
    const base = this.#base(stage);
    const platform = base.kind === 'stage' ? base.stage.platform : this.#platform(stage);
    const node: GraphStage = {
      stage,
      name: stage.from.name ?? `stage-${stage.index}`,
      base,
      platform,
      origins: this.#origins(stage, platform),
    };
    this.#nodes.set(stage, node);
    return node;
  }

  #base(stage: Stage): StageBase {
    const name = this.#expand(stage.from.base);
    if (name === '') {
      throw this.#fault(
        stage.from.base,
        `the base ${JSON.stringify(stage.from.base.text)} is empty once its variables are replaced`,
      );
    }
    if (name === 'scratch') return { kind: 'scratch' };
    const named = this.#stageBefore(stage, name);
    if (named !== undefined) return { kind: 'stage', stage: this.stage(named) };
    return this.#image(name, stage.from.base, this.#platform(stage));
  }

  #platform(stage: Stage): Platform {
    const word = stage.from.platform;
    if (word === undefined) return this.#options.platform;
    const text = this.#expand(word);
    try {
      return parsePlatform(text);
    } catch (error) {
      throw this.#fault(word, `--platform: ${(error as Error).message}`);
    }
  }

  #origins(stage: Stage, platform: Platform): Map<Word, ImageOrigin | StageOrigin> {
    const origins = new Map<Word, ImageOrigin | StageOrigin>();
    for (const instruction of stage.instructions) {
      if (instruction.kind === 'COPY' && instruction.from !== undefined) {
        origins.set(instruction.from, this.#origin(stage, instruction.from, platform));
      }
      if (instruction.kind !== 'RUN') continue;
      for (const word of instruction.mounts) {
        const { from, at } = parseRunMount(this.#dockerfile.file, word);
        if (from !== undefined) origins.set(word, this.#origin(stage, { text: from, at }, platform));
      }
    }
    return origins;
  }

  #origin(stage: Stage, from: Word, platform: Platform): ImageOrigin | StageOrigin {
    if (/^\d+$/.test(from.text)) {
      const index = Number(from.text);
      if (index >= stage.index)
        throw this.#fault(from, `--from=${from.text}: there is no stage of that number above this one`);
      return { kind: 'stage', stage: this.stage(this.#dockerfile.stages[index]!) };
    }
    const named = this.#stageBefore(stage, from.text);
    if (named !== undefined) return { kind: 'stage', stage: this.stage(named) };
    if (this.#dockerfile.stages.some((other) => other.from.name === from.text.toLowerCase())) {
      throw this.#fault(from, `--from=${from.text}: that stage does not stand above this one`);
    }
    return this.#image(from.text, from, platform);
  }

  #stageBefore(stage: Stage, name: string): Stage | undefined {
    const lower = name.toLowerCase();
    return this.#dockerfile.stages.findLast(({ from, index }) => index < stage.index && from.name === lower);
  }

  #image(name: string, word: Word, platform: Platform): ImageOrigin {
    try {
      return { kind: 'image', reference: withDefaultTag(parseReference(name)), platform, word };
    } catch (error) {
      throw this.#fault(word, (error as Error).message);
    }
  }

  #expand(word: Word): string {
    const { file, escapeChar } = this.#dockerfile;
    return expandWord({ file, escapeChar, env: this.#options.globalArgs }, word).text;
  }

  #fault(word: Word, message: string): OcitsError {
    return new OcitsError('syntax', message, { location: { file: this.#dockerfile.file, ...word.at } });
  }
}
