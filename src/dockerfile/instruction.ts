/**
 * The room of Dockerfiles: from text to typed instructions, each with its place. Builds call it, and `import
 * --change` for single instructions. Its own rooms cut the text into lines and words (`text`), read instructions
 * (`parse`), check how they are written (`check`), and replace variables (`expand`). All of it is pure: no file, no
 * registry, no environment is looked at.
 *
 *     const { stages } = parseDockerfile(content, 'Dockerfile');
 *     const copies = stages.flatMap(({ instructions }) => instructions.filter(({ kind }) => kind === 'COPY'));
 */

import type { SourcePosition, SourceRange, Word } from './source.ts';

/**
 * Dockerfile instructions as data. A `Word` is text that may hold variables; `expandInstruction` (expand-instruction.ts)
 * gives the same instruction with all of them replaced. A plain `string` is never expanded by the builder.
 */
export type Instruction = FromInstruction | StageInstruction;

/** What may stand in a stage, behind its FROM. */
export type StageInstruction =
  | AddInstruction
  | ArgInstruction
  | CmdInstruction
  | CopyInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | RunInstruction
  | ShellInstruction
  | StopsignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction;

export interface InstructionBase {
  /** From the keyword to the end of the instruction, its continuation lines and here-documents with it. */
  readonly range: SourceRange;
  /** The instruction on one line as it was written: continuation lines joined, comments between them dropped, no here-document bodies. */
  readonly source: string;
}

export interface FromInstruction extends InstructionBase {
  readonly kind: 'FROM';
  /** `scratch`, an earlier stage's name or an image's reference; only global ARGs are expanded in it. */
  readonly base: Word;
  readonly platform?: Word | undefined;
  /** In lower case: stage names know no case. */
  readonly name?: string | undefined;
}

/** `exec`: the argument vector itself. `shell`: one text for the stage's SHELL, whose variables are the shell's to expand. */
export type CommandLine =
  | { readonly form: 'exec'; readonly args: readonly string[] }
  | { readonly form: 'shell'; readonly text: string };

/** A here-document: `<<EOF`, `<<-EOF` or `<<"EOF"` in a RUN, COPY or ADD. */
export interface Heredoc {
  readonly name: string;
  /** The lines between, each with its line end, as they were written. */
  readonly content: string;
  /** Whether variables in it are expanded: the name was not quoted. */
  readonly expand: boolean;
  /** `<<-`: leading tabs of each line do not count (`heredocText` in heredoc.ts drops them). */
  readonly chomp: boolean;
  readonly fileDescriptor: number;
  readonly at: SourcePosition;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: 'RUN';
  readonly command: CommandLine;
  /** In the order of the command line. */
  readonly heredocs: readonly Heredoc[];
  /** `--mount` values as they were written; `parseRunMount` (run-mount.ts) reads one. */
  readonly mounts: readonly Word[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  /** The places of the flags that are given, by name: `mount`, `network`, `security`. */
  readonly flagsAt: Readonly<Partial<Record<'mount' | 'network' | 'security', SourcePosition>>>;
}

/** What COPY and ADD share. */
export interface FileInstruction extends InstructionBase {
  /** Paths and patterns below the context, or (ADD) URLs. */
  readonly sources: readonly Word[];
  /** Sources given as here-documents; each makes a file of its name. They come behind `sources`. */
  readonly contents: readonly Heredoc[];
  readonly destination: Word;
  readonly chown?: Word | undefined;
  readonly chmod?: Word | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly Word[];
  /** The place of each flag that is given, by its name without `--`. */
  readonly flagsAt: Readonly<Record<string, SourcePosition>>;
}

export interface CopyInstruction extends FileInstruction {
  readonly kind: 'COPY';
  /** A stage's name or number, or an image. Never expanded (BuildKit says so with an error). */
  readonly from?: Word | undefined;
}

export interface AddInstruction extends FileInstruction {
  readonly kind: 'ADD';
  readonly checksum?: Word | undefined;
  readonly keepGitDir: boolean;
  /** Undefined: archives of the context are unpacked, remote ones are not. */
  readonly unpack?: boolean | undefined;
}

export interface KeyValue {
  readonly key: Word;
  readonly value: Word;
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: 'ENV';
  readonly pairs: readonly KeyValue[];
  /** The old form `ENV key value of many words`. */
  readonly legacyForm: boolean;
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: 'LABEL';
  readonly pairs: readonly KeyValue[];
  readonly legacyForm: boolean;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: 'ARG';
  readonly args: readonly { readonly name: Word; readonly value?: Word | undefined }[];
}

export interface CmdInstruction extends InstructionBase {
  readonly kind: 'CMD';
  readonly command: CommandLine;
}

export interface EntrypointInstruction extends InstructionBase {
  readonly kind: 'ENTRYPOINT';
  /** An empty vector (`ENTRYPOINT []`) takes the base's entrypoint away. */
  readonly command: CommandLine;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: 'EXPOSE';
  /** `80`, `80/udp`, `8000-8010/tcp`; a variable may stand for several. `exposedPorts` (expose.ts) reads them. */
  readonly ports: readonly Word[];
}

/** Times in nanoseconds, as the image configuration has them; 0 or absent: inherited. */
export interface Healthcheck {
  readonly test: readonly string[];
  readonly intervalNs?: number | undefined;
  readonly timeoutNs?: number | undefined;
  readonly startPeriodNs?: number | undefined;
  readonly startIntervalNs?: number | undefined;
  readonly retries?: number | undefined;
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'HEALTHCHECK';
  /** `test` is `['NONE']`, `['CMD', …]` or `['CMD-SHELL', text]`. */
  readonly healthcheck: Healthcheck;
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: 'MAINTAINER';
  readonly name: string;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'ONBUILD';
  /** What the image configuration keeps: the text behind ONBUILD, here-documents with it. */
  readonly expression: string;
  /** The same, read. */
  readonly trigger: StageInstruction;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: 'SHELL';
  readonly shell: readonly string[];
}

export interface StopsignalInstruction extends InstructionBase {
  readonly kind: 'STOPSIGNAL';
  readonly signal: Word;
}

export interface UserInstruction extends InstructionBase {
  readonly kind: 'USER';
  readonly user: Word;
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: 'VOLUME';
  readonly paths: readonly Word[];
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: 'WORKDIR';
  readonly path: Word;
}

export interface Stage {
  /** From 0, in the order of the file; `--from=0` may name a stage so. */
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

/** Something that works but should be written otherwise; `rule` is BuildKit's name for it. */
export interface DockerfileWarning {
  readonly rule: string;
  readonly message: string;
  readonly range: SourceRange;
}

export interface Dockerfile {
  /** The name for messages, as the user gave it. */
  readonly file: string;
  readonly escapeChar: '\\' | '`';
  /** Parser directives by name (`syntax`, `escape`, `check`), as written. No frontend is ever fetched for `syntax`. */
  readonly directives: ReadonlyMap<'syntax' | 'escape' | 'check', Word>;
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  /** At least one. */
  readonly stages: readonly Stage[];
  readonly warnings: readonly DockerfileWarning[];
}
