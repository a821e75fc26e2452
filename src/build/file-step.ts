import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createLayerWriter } from '../layer/layer-writer.ts';
import { formatPlatform } from '../oci/platform.ts';
import { formatReference } from '../oci/reference.ts';
import { warning } from '../progress.ts';
import { remoteFetcher } from './add-remote.ts';
import type { BuildStep, NewLayer, StepRun } from './build-step.ts';
import type { BuildWorkshop } from './build-workshop.ts';
import { copyDigest } from './copy-digest.ts';
import { parseMode } from './copy-mode.ts';
import { type CopyOwner, resolveOwner } from './copy-owner.ts';
import { planCopy } from './copy-plan.ts';
import { type CopySelection, selectCopy } from './copy-select.ts';
import type { CopySource } from './copy-source.ts';
import { TreeSource } from './copy-tree.ts';
import { writeCopyLayer } from './copy-write.ts';
import type { FilePlan } from './plan.ts';
import { BELOW, type KeyParts } from './step-key.ts';
import { storeLayer } from './store-layer.ts';
import { type Tree, treeKey } from './tree.ts';

const OWNER_FILE_LIMIT_BYTES = 4 * 1024 * 1024;

/** A COPY or ADD: the layer is written straight from what is copied, and nothing is mounted. */
export class FileStep implements BuildStep {
  readonly plan: FilePlan;
  readonly #workshop: BuildWorkshop;
  #selection: Promise<CopySelection> | undefined;

  constructor(plan: FilePlan, workshop: BuildWorkshop) {
    this.plan = plan;
    this.#workshop = workshop;
  }

  /** A stage or an image that is the same gives the same files: nobody needs to read them to know. */
  shortcut([below, from]: readonly Tree[]): KeyParts | undefined {
    if (from === undefined) return undefined;
    const { sources, excludes } = this.plan.instruction;
    return {
      ...this.#commonParts(below!),
      operation: 'COPY from',
      from: treeKey(from),
      sources: sources.map(({ text }) => text),
      excludes: excludes.map(({ text }) => text),
    };
  }

  async keyParts([below, from]: readonly Tree[], signal: AbortSignal): Promise<KeyParts> {
    const files = await copyDigest(await this.#select(from, signal), signal);
    return { ...this.#commonParts(below!), operation: this.plan.instruction.kind, files };
  }

  async exec([below, from]: readonly Tree[], run: StepRun): Promise<NewLayer | undefined> {
    const { content, folder, file, clampSeconds, host } = this.#workshop;
    const { instruction, workdir, place } = this.plan;
    const scratch = await this.#scratch();
    const selection = await this.#select(from, run.signal);
    for (const { message } of selection.warnings) host.emit(warning(message));
    const base = instruction.link ? undefined : await content.merged(below!, run.signal);
    const owner = await this.#owner(below!, run.signal);
    await using plan = await planCopy({
      selection,
      file,
      destination: instruction.destination,
      workdir,
      base,
      ...(owner === undefined ? {} : { owner }),
      ...(instruction.chmod === undefined ? {} : { mode: parseMode(file, instruction.chmod) }),
      timeSeconds: clampSeconds ?? 0,
      scratch,
      signal: run.signal,
    });
    const tarPath = join(folder.path, `${place.replace('/', '-')}.tar`);
    using writer = createLayerWriter(tarPath, clampSeconds === undefined ? {} : { clampSeconds });
    await writeCopyLayer(plan, writer, { signal: run.signal });
    return await storeLayer(this.#workshop, tarPath, writer.finish());
  }

  #commonParts(below: Tree): KeyParts {
    const { instruction, workdir, platform } = this.plan;
    const { clampSeconds } = this.#workshop;
    const { link, parents, chown, chmod, destination } = instruction;
    const isRelative = !destination.text.startsWith('/');
    return {
      // With --link the layer is the same whatever lies below.
      ...(link ? { link: 'yes' } : { [BELOW]: treeKey(below) }),
      destination: destination.text,
      ...(isRelative ? { workdir } : {}),
      ...(parents ? { parents: 'yes' } : {}),
      ...(chown === undefined ? {} : { owner: chown.text }),
      ...(chmod === undefined ? {} : { mode: chmod.text }),
      ...(instruction.kind === 'ADD' && instruction.unpack !== undefined
        ? { unpack: String(instruction.unpack) }
        : {}),
      platform: formatPlatform(platform),
      ...(clampSeconds === undefined ? {} : { time: String(clampSeconds) }),
    };
  }

  #select(from: Tree | undefined, signal: AbortSignal): Promise<CopySelection> {
    this.#selection ??= this.#findSources(from, signal);
    return this.#selection;
  }

  async #findSources(from: Tree | undefined, signal: AbortSignal): Promise<CopySelection> {
    const { instruction } = this.plan;
    const { file } = this.#workshop;
    const source = from === undefined ? this.#workshop.files : await this.#treeSource(from, signal);
    const fetch = remoteFetcher({ file, scratch: await this.#scratch(), signal });
    return await selectCopy({ instruction, file, source, fetch });
  }

  async #treeSource(from: Tree, signal: AbortSignal): Promise<CopySource> {
    const { content } = this.#workshop;
    const { origin } = this.plan;
    const name = origin?.kind === 'image' ? formatReference(origin.reference) : `stage ${origin?.stage.name}`;
    return new TreeSource(name, await content.merged(from, signal), (entry) =>
      content.open(from, entry, signal),
    );
  }

  async #owner(below: Tree, signal: AbortSignal): Promise<CopyOwner | undefined> {
    const { chown, link } = this.plan.instruction;
    if (chown === undefined) return undefined;
    const { file, content } = this.#workshop;
    return await resolveOwner(file, chown, async (path) =>
      link ? undefined : await content.readFile(below, path, OWNER_FILE_LIMIT_BYTES, signal),
    );
  }

  async #scratch(): Promise<string> {
    const path = join(this.#workshop.folder.path, this.plan.place.replace('/', '-'));
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }
}
