import { DEFAULT_PATH } from '../../bundle/process-args.ts';
import type { Environment } from '../../dockerfile/expand/expand-word.ts';
import type { StageInstruction } from '../../dockerfile/instruction.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { splitPair } from '../../options/pair.ts';
import type { ConfigState } from './config-change.ts';

/** ARGs that a stage has declared, in their order; undefined: without a value. */
type DeclaredArgs = ReadonlyMap<string, string | undefined>;

/** What a stage starts with. */
export interface StageStart {
  readonly config: ConfigState;
  /** ARGs that the stage below it has declared. */
  readonly args: DeclaredArgs;
  /** What its instructions see: the configuration's variables, and the values of ARGs that came after them. */
  readonly variables: Environment;
  /** Instructions that the base has left for those who build on it. */
  readonly triggers: readonly StageInstruction[];
}

/** What `FROM scratch` starts with. */
export const SCRATCH_START: StageStart = {
  config: { config: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' }, hasOwnCmd: false },
  args: new Map(),
  variables: new Map([['PATH', DEFAULT_PATH]]),
  triggers: [],
};

/** What a stage on an image starts with. `triggers`: the image's own ONBUILD instructions, read. */
export function imageStart(image: ImageConfig, triggers: readonly StageInstruction[]): StageStart {
  const { OnBuild: _onBuild, ...config } = image.config ?? {};
  const env = config.Env ?? [];
  const hasPath = env.some((variable) => variable.startsWith('PATH='));
  const Env = hasPath ? env : [...env, `PATH=${DEFAULT_PATH}`];
  return {
    config: {
      config: { ...config, Env },
      author: image.author,
      hasOwnCmd: false,
    },
    args: new Map(),
    variables: new Map(Env.flatMap((variable) => splitVariable(variable))),
    triggers,
  };
}

function splitVariable(variable: string): [string, string][] {
  const [name, value] = splitPair(variable);
  return name === '' || value === undefined ? [] : [[name, value]];
}
