import type { AddInstruction, CopyInstruction, RunInstruction } from '../../dockerfile/instruction.ts';
import type { RunMount } from '../../dockerfile/parse/run-mount.ts';
import type { SourceRange } from '../../dockerfile/source.ts';
import type { Platform } from '../../oci/platform.ts';
import type { ConfigState } from './config-change.ts';
import type { GraphStage, ImageOrigin, StageOrigin } from './graph.ts';
import type { RunScript } from './run-plan.ts';

/** What all steps that work on a tree know before anything is built. */
export interface StepPlanBase {
  /** What a user wrote, with its place in the stage: `[build 2/5] RUN make`. */
  readonly label: string;
  readonly range: SourceRange;
  /** The step's place in the Dockerfile, the same from build to build: `0/3`. */
  readonly place: string;
  readonly platform: Platform;
}

export type Origin = ImageOrigin | StageOrigin;

/** A `--mount` of a RUN, its variables replaced. */
export interface MountPlan {
  readonly mount: RunMount;
  /** What it shows; undefined: the context (bind), or nothing. */
  readonly origin?: Origin | undefined;
}

/** A command that runs on a tree. Nothing in it is left to be expanded. */
export interface RunPlan extends StepPlanBase {
  readonly kind: 'run';
  readonly instruction: RunInstruction;
  readonly args: readonly string[];
  /** A script with a `#!` line that `args` names: bound in from outside the tree. */
  readonly script?: RunScript | undefined;
  /** Those with an origin in the order of the step's further inputs. */
  readonly mounts: readonly MountPlan[];
  /** The image's variables and the declared ARGs. */
  readonly env: readonly string[];
  /** Proxy settings that no ARG declares: the command sees them, the cache key does not. */
  readonly proxyEnv: readonly string[];
  /** As USER has it; empty for root. */
  readonly user: string;
  readonly cwd: string;
}

export interface WorkdirPlan extends StepPlanBase {
  readonly kind: 'workdir';
  /** Absolute and clean. */
  readonly path: string;
  readonly user: string;
}

export interface FilePlan extends StepPlanBase {
  readonly kind: 'copy';
  readonly instruction: CopyInstruction | AddInstruction;
  /** Where it copies from; undefined: the context. */
  readonly origin?: Origin | undefined;
  readonly workdir: string;
  /**
   * The layer stands on its own: it is the same whatever lies below, and nobody looks there. `--link` asks for it. With
   * `--chown` or `--chmod` it cannot be had: folders on the way that exist below must keep their owner and mode.
   */
  readonly standsAlone: boolean;
}

export type StepPlan = RunPlan | WorkdirPlan | FilePlan;

/** A line of the history; one with a step has a layer. */
export interface HistoryPlan {
  readonly createdBy: string;
  readonly step?: StepPlan | undefined;
}

/** A stage with everything known of it before anything is built. */
export interface StagePlan {
  readonly node: GraphStage;
  /** `[build 1/5] FROM node:22`; undefined for a stage that starts from scratch or from another stage. */
  readonly baseLabel?: string | undefined;
  readonly steps: readonly StepPlan[];
  /** Its own lines, without those of what it starts from. */
  readonly history: readonly HistoryPlan[];
  readonly result: ConfigState;
}
