import { mkdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { RunMount } from '../../dockerfile/parse/run-mount.ts';
import { OcitsError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Parents } from '../../snapshotter/snapshotter.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import type { BuildJob } from '../job/build-job.ts';
import type { MountPlan, RunPlan } from '../plan/step-plan.ts';
import { toText } from '../source/path.ts';
import { type Tree, treeChain } from '../tree/tree.ts';
import { openCacheFolder } from './cache-mount.ts';
import { MountCollector, type ReadyMounts } from './mount-collector.ts';
import { findMountedFiles, type MountedFiles } from './mounted-files.ts';

interface MountSource {
  /** A folder for what the mount needs; it may not exist. */
  readonly place: string;
  /** Of a mount with an origin. */
  readonly tree: Tree | undefined;
  readonly signal: AbortSignal;
}

/** Makes the mounts that a RUN asks for with `--mount`. */
export class RunMounts {
  readonly #plan: RunPlan;
  readonly #job: BuildJob;
  readonly #files = new Map<MountPlan, Promise<MountedFiles>>();

  constructor(plan: RunPlan, job: BuildJob) {
    this.#plan = plan;
    this.#job = job;
  }

  /** What mounts show, for the step's key. `sources`: the trees of those with an origin, in order. */
  async digests(sources: readonly Tree[], signal: AbortSignal): Promise<Digest[]> {
    const trees = [...sources];
    const digests: Digest[] = [];
    for (const plan of this.#plan.mounts) {
      if (plan.origin !== undefined) digests.push(treeChain(trees.shift()!));
      else if (plan.mount.type === 'bind') digests.push((await this.#contextFiles(plan, signal)).digest);
    }
    return digests;
  }

  /** `place`: the step's folder. Throws located errors for what is not there. */
  async prepare(place: string, sources: readonly Tree[], signal: AbortSignal): Promise<ReadyMounts> {
    await using undo = new UndoStack();
    const made = new MountCollector(undo, join(this.#job.folder.runPath, this.#plan.place.replace('/', '-')));
    const trees = [...sources];
    for (const [index, plan] of this.#plan.mounts.entries()) {
      const tree = plan.origin === undefined ? undefined : trees.shift();
      await this.#add(made, plan, { place: join(place, `mount-${index}`), tree, signal });
    }
    const held = undo.move();
    return { ...made.result(), [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
  }

  async #add(made: MountCollector, plan: MountPlan, { place, tree, signal }: MountSource): Promise<void> {
    const { mount } = plan;
    switch (mount.type) {
      case 'tmpfs': {
        // None and 0 are the kernel's own limit.
        const size = mount.sizeBytes ? [`size=${mount.sizeBytes}`] : [];
        const options = ['exec', ...size, ...(mount.readOnly ? ['ro'] : [])];
        made.add({ kind: 'tmpfs', target: this.#target(mount), options }, 'directory');
        return;
      }
      case 'cache':
        if (plan.origin !== undefined || mount.source !== undefined)
          throw this.#fault(mount, 'unsupported', 'a cache mount cannot start from a stage or image yet');
        return await this.#addCache(made, mount, signal);
      case 'bind':
        return await this.#addBind(made, plan, { place, tree, signal });
      case 'secret':
        return await this.#addSecret(made, mount, posix.basename(place));
      case 'ssh':
        // Without an agent to hand on, the command runs without one, as in Docker.
        if (!mount.required) return;
        throw this.#fault(
          mount,
          'unsupported',
          'the SSH agent is required, and none can be handed to a build yet',
          'give the key with --secret, and mount it with type=secret',
        );
    }
  }

  async #addCache(made: MountCollector, mount: RunMount, signal: AbortSignal): Promise<void> {
    const target = this.#target(mount);
    const { root } = this.#job.store.paths;
    const folder = made.undo.use(await openCacheFolder(root, mount, signal));
    made.add({ kind: 'bind', source: folder.path, target, readOnly: mount.readOnly }, 'directory');
  }

  async #addBind(made: MountCollector, plan: MountPlan, { place, tree, signal }: MountSource): Promise<void> {
    const snapshotter = await this.#job.engine.snapshotter();
    const root = join(place, 'tree');
    await mkdir(root, { recursive: true, mode: 0o700 });
    const shown = await this.#shown(plan, { place, tree, signal });
    // What a command writes there goes to a layer that is thrown away.
    const { mounts } = await snapshotter.prepare(place, shown.parents, [], { isVolatile: true });
    made.hostMounts.push(
      ...mounts.map((mount) => (mount.target === undefined ? { ...mount, target: root } : mount)),
    );
    const source = join(root, shown.path);
    const { mount } = plan;
    made.add(
      { kind: 'bind', source, target: this.#target(mount), readOnly: mount.readOnly, recursive: false },
      shown.type,
    );
  }

  /** The tree that a bind mount shows, and the path in it, which leads over no symlink. */
  async #shown(
    plan: MountPlan,
    { place, tree, signal }: MountSource,
  ): Promise<{ parents: Parents; path: string; type: 'file' | 'directory' }> {
    const content = await this.#job.content();
    const { mount } = plan;
    if (tree === undefined) {
      const { parents, path } = await (await this.#contextFiles(plan, signal)).unpack(place, signal);
      return { parents, path: toText(path), type: path === '' ? 'directory' : 'file' };
    }
    const asked = posix.resolve('/', mount.source ?? '/').slice(1);
    const parents = await content.parents(tree, signal);
    if (asked === '') return { parents, path: '', type: 'directory' };
    const found = (await content.merged(tree, signal)).lookup(toBytes(asked));
    if (found === undefined) throw this.#fault(mount, 'not-found', `/${asked} is not in ${mount.from}`);
    const type = found.entry === undefined || found.entry.type === 'directory' ? 'directory' : 'file';
    return { parents, path: toText(found.path), type };
  }

  async #addSecret(made: MountCollector, mount: RunMount, name: string): Promise<void> {
    const id = mount.id ?? mount.source ?? posix.basename(mount.target ?? '');
    const secret = this.#job.runSettings.secrets.get(id);
    if (secret === undefined) {
      if (!mount.required) return;
      throw this.#fault(
        mount,
        'not-found',
        `the secret ${JSON.stringify(id)} is required, and was not given`,
        `give it with --secret id=${id},src=FILE`,
      );
    }
    const content = 'path' in secret ? await readFile(secret.path) : Buffer.from(secret.value);
    if (mount.env !== undefined) made.env.push(`${mount.env}=${content.toString('utf8')}`);
    if (mount.env !== undefined && mount.target === undefined) return;
    const target = mount.target === undefined ? `/run/secrets/${posix.basename(id)}` : this.#target(mount);
    const source = await made.secretFile(name, content, mount);
    made.add({ kind: 'bind', source, target, readOnly: true, recursive: false }, 'file');
  }

  #contextFiles(plan: MountPlan, signal: AbortSignal): Promise<MountedFiles> {
    let files = this.#files.get(plan);
    if (files === undefined) {
      files = findMountedFiles(this.#job, plan.mount, signal);
      this.#files.set(plan, files);
    }
    return files;
  }

  /** Without a target it is the working directory. */
  #target(mount: RunMount): string {
    const target = posix.resolve('/', this.#plan.cwd, mount.target ?? '');
    if (target !== '/') return target;
    const hint = 'give it a target, or set a WORKDIR before';
    throw this.#fault(mount, 'invalid-argument', 'nothing can be mounted on / of a build step', hint);
  }

  #fault(mount: RunMount, code: OcitsError['code'], message: string, hint?: string): OcitsError {
    const location = { file: this.#job.file, ...mount.at };
    return new OcitsError(code, message, { location, hint });
  }
}
