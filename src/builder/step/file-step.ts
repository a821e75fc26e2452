import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import { remoteFetcher, remoteKind } from '../add/remote.ts';
import { copyDigest } from '../copy/content-digest.ts';
import { type CopySelection, selectCopy } from '../copy/select.ts';
import type { BuildJob } from '../job/build-job.ts';
import { stepFolder } from '../job/step-folder.ts';
import type { FilePlan } from '../plan/step-plan.ts';
import type { BuildStep, StepLayer, StepRun } from '../solve/build-step.ts';
import { BELOW, type KeyParts } from '../solve/step-key.ts';
import type { CopySource } from '../source/copy-source.ts';
import { TreeSource } from '../target/written-tree.ts';
import { type Tree, treeChain } from '../tree/tree.ts';

/** A COPY or ADD: the layer is written straight from what is copied, and nothing is mounted. */
export class FileStep implements BuildStep {
  readonly plan: FilePlan;
  readonly #job: BuildJob;
  #selection: Promise<CopySelection> | undefined;

  constructor(plan: FilePlan, job: BuildJob) {
    this.plan = plan;
    this.#job = job;
  }

  /** A stage or an image that is the same gives the same files: nobody needs to read them to know. */
  shortcut([below, from]: readonly Tree[]): KeyParts | undefined {
    if (from === undefined) return undefined;
    const { sources, excludes } = this.plan.instruction;
    return {
      ...this.#commonParts(below!),
      operation: 'COPY from',
      from: treeChain(from),
      sources: sources.map(({ text }) => text),
      excludes: excludes.map(({ text }) => text),
    };
  }

  async keyParts([below, from]: readonly Tree[], signal: AbortSignal): Promise<KeyParts> {
    const files = await copyDigest(await this.#select(from, signal), signal);
    return { ...this.#commonParts(below!), operation: this.plan.instruction.kind, files };
  }

  async exec([below, from]: readonly Tree[], run: StepRun): Promise<StepLayer> {
    const { writeFiles } = await import('./write-files.ts');
    const selection = await this.#select(from, run.signal);
    return await writeFiles(this.plan, this.#job, { selection, below: below! }, run);
  }

  #commonParts(below: Tree): KeyParts {
    const { instruction, workdir, platform, standsAlone } = this.plan;
    const { clampSeconds } = this.#job;
    const { parents, chown, chmod, destination } = instruction;
    const isRelative = !destination.text.startsWith('/');
    return {
      link: standsAlone ? 'yes' : undefined,
      [BELOW]: standsAlone ? undefined : treeChain(below),
      destination: destination.text,
      workdir: isRelative ? workdir : undefined,
      parents: parents ? 'yes' : undefined,
      owner: chown?.text,
      mode: chmod?.text,
      unpack: instruction.kind === 'ADD' ? instruction.unpack?.toString() : undefined,
      platform: formatPlatform(platform),
      time: clampSeconds?.toString(),
    };
  }

  #select(from: Tree | undefined, signal: AbortSignal): Promise<CopySelection> {
    this.#selection ??= this.#findSources(from, signal);
    return this.#selection;
  }

  async #findSources(from: Tree | undefined, signal: AbortSignal): Promise<CopySelection> {
    const { instruction } = this.plan;
    const { file } = this.#job;
    const source = from === undefined ? this.#job.files : await this.#treeSource(from, signal);
    const fetch = instruction.sources.some(({ text }) => remoteKind(text) !== undefined)
      ? remoteFetcher({ file, scratch: await stepFolder(this.plan, this.#job), signal })
      : undefined;
    return await selectCopy({ instruction, file, source, fetch });
  }

  async #treeSource(from: Tree, signal: AbortSignal): Promise<CopySource> {
    const content = await this.#job.content();
    const { origin } = this.plan;
    const name = origin?.kind === 'image' ? formatReference(origin.reference) : `stage ${origin?.stage.name}`;
    return new TreeSource(name, await content.merged(from, signal), (entry) =>
      content.open(from, entry, signal),
    );
  }
}
