import { undefinedVariable } from '../../dockerfile/check/values.ts';
import { dockerfileError } from '../../dockerfile/dockerfile-error.ts';
import { type BuildArgs, PROXY_ARGS, resolveArg } from '../../dockerfile/expand/build-args.ts';
import {
  type ExpandContext,
  expandInstruction,
  expandWord,
} from '../../dockerfile/expand/expand-instruction.ts';
import type { Environment } from '../../dockerfile/expand/expand-word.ts';
import type {
  ArgInstruction,
  Dockerfile,
  DockerfileWarning,
  StageInstruction,
} from '../../dockerfile/instruction.ts';
import { parseRunMount } from '../../dockerfile/parse/run-mount.ts';
import type { SourcePosition, Word } from '../../dockerfile/source.ts';
import { type OcitsError, shortened } from '../../errors.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { formatReference } from '../../oci/reference.ts';
import { type ConfigState, changeConfig } from './config-change.ts';
import type { GraphStage } from './graph.ts';
import { runCommand, runHistory } from './run-plan.ts';
import type { StageStart } from './stage-start.ts';
import type {
  FilePlan,
  HistoryPlan,
  MountPlan,
  Origin,
  RunPlan,
  StagePlan,
  StepPlan,
  StepPlanBase,
} from './step-plan.ts';

export interface PlanContext {
  readonly dockerfile: Pick<Dockerfile, 'file' | 'escapeChar'>;
  readonly buildArgs: BuildArgs;
  /** The ARGs before the first FROM, and the predefined ones. */
  readonly globalArgs: Environment;
  /** Whether the stage's name stands in its labels: where there are several. */
  readonly showsStageName: boolean;
}

export interface PlannedStage extends StagePlan {
  /** What a stage that starts from this one starts with. */
  readonly next: StageStart;
  /** Variables that nothing sets. */
  readonly warnings: readonly DockerfileWarning[];
}

/** Reads a stage's instructions from the first to the last: what each does to the configuration, and the steps. */
export function planStage(node: GraphStage, start: StageStart, context: PlanContext): PlannedStage {
  return new StagePlanner(node, start, context).plan();
}

class StagePlanner {
  readonly #node: GraphStage;
  readonly #context: PlanContext;
  readonly #instructions: readonly StageInstruction[];
  readonly #triggerCount: number;
  readonly #args: Map<string, string | undefined>;
  /** ENV and ARG in the order of the file: the later one counts, as in BuildKit. */
  readonly #variables: Map<string, string>;
  readonly #steps: StepPlan[] = [];
  readonly #history: HistoryPlan[] = [];
  readonly #stepTotal: number;
  readonly #warnings = new Map<string, DockerfileWarning>();
  #state: ConfigState;

  constructor(node: GraphStage, start: StageStart, context: PlanContext) {
    this.#node = node;
    this.#context = context;
    this.#instructions = [...start.triggers, ...node.stage.instructions];
    this.#triggerCount = start.triggers.length;
    this.#args = new Map(start.args);
    this.#variables = new Map(start.variables);
    this.#state = { ...start.config, hasOwnCmd: false };
    this.#stepTotal = this.#instructions.filter(isStep).length + (node.base.kind === 'image' ? 1 : 0);
  }

  plan(): PlannedStage {
    for (const [index, instruction] of this.#instructions.entries()) this.#take(instruction, index);
    const { base } = this.#node;
    const { OnBuild: _onBuild, ...handedOn } = this.#state.config;
    return {
      node: this.#node,
      ...(base.kind === 'image'
        ? { baseLabel: `${this.#prefix(1)}FROM ${formatReference(base.reference)}` }
        : {}),
      steps: this.#steps,
      history: this.#history,
      result: this.#state,
      next: {
        config: { ...this.#state, config: handedOn },
        args: this.#args,
        variables: this.#variables,
        triggers: this.#ownTriggers(),
      },
      warnings: [...this.#warnings.values()],
    };
  }

  #ownTriggers(): StageInstruction[] {
    return this.#node.stage.instructions.flatMap((one) => (one.kind === 'ONBUILD' ? [one.trigger] : []));
  }

  #take(written: StageInstruction, index: number): void {
    if (written.kind === 'ARG') {
      this.#declare(written, index);
      return;
    }
    const instruction = expandInstruction(written, this.#expansion(index));
    const { state, createdBy } = changeConfig(this.#state, instruction, this.#context.dockerfile.file);
    this.#state = state;
    if (instruction.kind === 'ENV') {
      for (const { key, value } of instruction.pairs) this.#variables.set(key.text, value.text);
    }
    const step = this.#step(instruction, index);
    if (step !== undefined) {
      this.#steps.push(step);
      this.#history.push({ createdBy: createdBy ?? this.#stepHistory(step), step });
    } else if (createdBy !== undefined) this.#history.push({ createdBy });
  }

  #declare(instruction: ArgInstruction, index: number): void {
    const resolved = resolveArg(instruction, this.#expansion(index), this.#context);
    for (const { name, value } of resolved) {
      this.#args.set(name, value);
      if (value !== undefined) this.#variables.set(name, value);
    }
    const texts = resolved.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`));
    this.#history.push({ createdBy: `ARG ${texts.join(' ')}` });
  }

  /** For the instruction at `index`. */
  #expansion(index: number): ExpandContext {
    const onMissing = (name: string, word: Word) => this.#warnOfMissing(name, word, index);
    return { ...this.#context.dockerfile, env: this.#variables, onMissing };
  }

  /** Once for each instruction. An ARG without a value is meant to be unset. */
  #warnOfMissing(name: string, word: Word, index: number): void {
    if (this.#args.has(name)) return;
    const place = index < this.#triggerCount ? this.#node.stage.from.base : word;
    const warning = undefinedVariable(name, place, this.#variables.keys());
    this.#warnings.set(`${index} ${name}`, warning);
  }

  get #config(): RunConfig {
    return this.#state.config;
  }

  #step(instruction: StageInstruction, index: number): StepPlan | undefined {
    switch (instruction.kind) {
      case 'RUN':
        return this.#run(instruction, index);
      case 'COPY':
      case 'ADD':
        return this.#copy(instruction, this.#base(instruction, index));
      case 'WORKDIR': {
        const path = this.#config.WorkingDir ?? '/';
        if (path === '/') return undefined;
        return { ...this.#base(instruction, index), kind: 'workdir', path, user: this.#config.User ?? '' };
      }
      default:
        return undefined;
    }
  }

  #base(instruction: StageInstruction, index: number): StepPlanBase {
    const number = this.#steps.length + 1 + (this.#node.base.kind === 'image' ? 1 : 0);
    const isTrigger = index < this.#triggerCount;
    return {
      label: `${this.#prefix(number)}${isTrigger ? 'ONBUILD ' : ''}${shortened(instruction.source)}`,
      range: isTrigger ? this.#node.stage.from.range : instruction.range,
      place: `${this.#node.stage.index}/${index}`,
      platform: this.#node.platform,
    };
  }

  #prefix(number: number): string {
    const total = String(this.#stepTotal);
    const name = this.#context.showsStageName ? `${this.#node.name} ` : '';
    return `[${name}${String(number).padStart(total.length)}/${total}] `;
  }

  #run(instruction: RunPlan['instruction'], index: number): RunPlan {
    const base = this.#base(instruction, index);
    if (instruction.security === 'insecure') {
      // The places in a trigger are those of its own text.
      const at = base.range === instruction.range ? instruction.flagsAt.security! : base.range.start;
      throw this.#unsupported(at, 'RUN --security=insecure is not there yet');
    }
    return {
      ...base,
      kind: 'run',
      instruction,
      ...runCommand(instruction, this.#config),
      mounts: instruction.mounts.map((word) => this.#mount(word, base, index)),
      env: Array.from(this.#variables, ([name, value]) => `${name}=${value}`),
      proxyEnv: this.#proxies(),
      user: this.#config.User ?? '',
      cwd: this.#config.WorkingDir || '/',
    };
  }

  #proxies(): string[] {
    return PROXY_ARGS.filter((name) => !this.#args.has(name)).flatMap((name) => {
      const value = this.#context.buildArgs.get(name);
      return value === undefined ? [] : [`${name}=${value}`];
    });
  }

  #mount(word: Word, base: StepPlanBase, index: number): MountPlan {
    const { file } = this.#context.dockerfile;
    const expansion = this.#expansion(index);
    const mount = parseRunMount(file, word, (value) => expandWord(expansion, value).text);
    return { mount, ...(mount.from === undefined ? {} : { origin: this.#origin(word, base) }) };
  }

  #copy(instruction: FilePlan['instruction'], base: StepPlanBase): FilePlan {
    const workdir = this.#config.WorkingDir || '/';
    const from = instruction.kind === 'COPY' ? instruction.from : undefined;
    const origin = from === undefined ? {} : { origin: this.#origin(from, base) };
    const { link, chown, chmod } = instruction;
    const standsAlone = link && chown === undefined && chmod === undefined;
    return { ...base, kind: 'copy', instruction, ...origin, workdir, standsAlone };
  }

  #origin(word: Word, { range }: StepPlanBase): Origin {
    const origin = this.#node.origins.get(word);
    if (origin !== undefined) return origin;
    throw this.#unsupported(
      range.start,
      'an ONBUILD trigger cannot take files from another stage or image yet',
    );
  }

  #unsupported(at: SourcePosition, message: string): OcitsError {
    return dockerfileError(this.#context.dockerfile.file, at, message, { code: 'unsupported' });
  }

  #stepHistory(step: StepPlan): string {
    if (step.kind === 'copy') return copyText(step.instruction);
    if (step.kind === 'workdir') return `WORKDIR ${step.path}`;
    const declared = [...this.#args].map(
      ([name, value]) => [name, this.#variables.get(name) ?? value ?? ''] as const,
    );
    return runHistory(step.args, declared);
  }
}

/** How the history shows a COPY or ADD, as BuildKit writes it: not every flag, and all words expanded. */
function copyText(instruction: FilePlan['instruction']): string {
  const { kind, parents, chown, chmod, sources, contents, destination } = instruction;
  const flags = [
    ...(parents ? ['--parents'] : []),
    ...(chown === undefined ? [] : [`--chown=${chown.text}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod.text}`]),
  ];
  const names = [...sources.map(({ text }) => text), ...contents.map(({ name }) => `<<${name}`)];
  return [kind, ...flags, ...names, destination.text, '# buildkit'].join(' ');
}

function isStep({ kind }: StageInstruction): boolean {
  return kind === 'RUN' || kind === 'COPY' || kind === 'ADD' || kind === 'WORKDIR';
}
