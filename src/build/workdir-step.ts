import { join } from 'node:path';
import { type ResolvedUser, resolveUser, USER_FILE_LIMIT_BYTES } from '../bundle/user.ts';
import { isOcitsError } from '../errors.ts';
import type { BytePath, DirectoryEntry, Time } from '../layer/layer-change.ts';
import { createLayerWriter } from '../layer/layer-writer.ts';
import type { MergedTree } from '../layer/merged-tree.ts';
import { formatPlatform } from '../oci/platform.ts';
import { BuildError } from './build-error.ts';
import type { BuildStep, NewLayer, StepRun } from './build-step.ts';
import type { BuildWorkshop } from './build-workshop.ts';
import type { WorkdirPlan } from './plan.ts';
import { BELOW, type KeyParts } from './step-key.ts';
import { storeLayer } from './store-layer.ts';
import { type Tree, treeKey } from './tree.ts';

const MODE = 0o755;
const NO_TIME: Time = { seconds: 0, nanoseconds: 0 };

/** A WORKDIR: makes the folder where the tree has none, as a layer, without mounting anything. */
export class WorkdirStep implements BuildStep {
  readonly plan: WorkdirPlan;
  readonly #workshop: BuildWorkshop;

  constructor(plan: WorkdirPlan, workshop: BuildWorkshop) {
    this.plan = plan;
    this.#workshop = workshop;
  }

  async keyParts([below]: readonly Tree[]): Promise<KeyParts> {
    const { path, user, platform } = this.plan;
    const { clampSeconds } = this.#workshop;
    return {
      operation: 'WORKDIR',
      [BELOW]: treeKey(below!),
      path,
      user,
      platform: formatPlatform(platform),
      ...(clampSeconds === undefined ? {} : { time: String(clampSeconds) }),
    };
  }

  async exec([below]: readonly Tree[], run: StepRun): Promise<NewLayer | undefined> {
    const tree = await this.#workshop.content.merged(below!, run.signal);
    const path = Buffer.from(this.plan.path).toString('latin1').slice(1);
    const { missing, present } = this.#folders(tree, path);
    if (missing.length === 0) return undefined;
    const { uid, gid } = await this.#owner(below!, run.signal);
    // As old as the folder that it is made in, so that the layer depends on no clock.
    const mtime = present.at(-1)?.mtime ?? tree.lookup('')?.entry?.mtime ?? NO_TIME;
    const { clampSeconds, folder } = this.#workshop;
    const tarPath = join(folder.path, `${this.plan.place.replace('/', '-')}.tar`);
    using writer = createLayerWriter(tarPath, clampSeconds === undefined ? {} : { clampSeconds });
    for (const one of present) writer.add(one);
    for (const one of missing) writer.add({ type: 'directory', path: one, mode: MODE, uid, gid, mtime });
    return await storeLayer(this.#workshop, tarPath, writer.finish());
  }

  /** The folders on the way that are there, listed again so that the layer stands on its own, and those to make. */
  #folders(tree: MergedTree, path: BytePath): { present: DirectoryEntry[]; missing: BytePath[] } {
    // As the parent of something, the last part is followed too where it is a symlink.
    const target = tree.resolve(`${path}/x`).replace(/\/?x$/, '');
    const parts = target.split('/');
    const present: DirectoryEntry[] = [];
    const missing: BytePath[] = [];
    for (const [index] of parts.entries()) {
      const one = parts.slice(0, index + 1).join('/');
      const found = tree.lookup(one, { followLast: false });
      if (found === undefined) missing.push(one);
      else if (found.entry?.type === 'directory') present.push({ ...found.entry, path: one });
      else if (found.entry !== undefined)
        throw this.#failure(`WORKDIR ${this.plan.path}: /${one} is no folder`);
    }
    return { present, missing };
  }

  async #owner(below: Tree, signal: AbortSignal): Promise<Pick<ResolvedUser, 'uid' | 'gid'>> {
    const { user } = this.plan;
    if (user === '') return { uid: 0, gid: 0 };
    const { content } = this.#workshop;
    const passwd = await content.readFile(below, 'etc/passwd', USER_FILE_LIMIT_BYTES, signal);
    const group = await content.readFile(below, 'etc/group', USER_FILE_LIMIT_BYTES, signal);
    try {
      return resolveUser(user, passwd, group);
    } catch (error) {
      throw isOcitsError(error, 'not-found', 'invalid-argument') ? this.#failure(error.message) : error;
    }
  }

  #failure(message: string): BuildError {
    const { label, range } = this.plan;
    const location = { file: this.#workshop.file, line: range.start.line, endLine: range.end.line };
    return new BuildError('step-failed', message, { location }, { stepLabel: label });
  }
}
