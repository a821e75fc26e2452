import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerMount } from '../../bundle/container-spec.ts';
import type { RunMount } from '../../dockerfile/parse/run-mount.ts';
import type { MountTarget } from '../../snapshotter/snapshotter.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import type { Mount } from '../../system/mount.ts';
import type { UndoStack } from '../../system/task/undo-stack.ts';

/** The mounts of a RUN, ready to be used; disposing lets go of what they hold. */
export interface ReadyMounts extends AsyncDisposable {
  /** To be made before the container starts, each at its own target on the host. */
  readonly hostMounts: readonly Mount[];
  readonly mounts: readonly ContainerMount[];
  readonly targets: readonly MountTarget[];
  /** Variables that secrets are passed in. */
  readonly env: readonly string[];
}

const SECRET_MODE = 0o400;

/** Gathers mounts one after the other. */
export class MountCollector {
  readonly hostMounts: Mount[] = [];
  readonly env: string[] = [];
  readonly undo: UndoStack;
  readonly #mounts: ContainerMount[] = [];
  readonly #targets: MountTarget[] = [];
  readonly #secretsFolder: string;

  constructor(undo: UndoStack, secretsFolder: string) {
    this.undo = undo;
    this.#secretsFolder = secretsFolder;
  }

  add(mount: ContainerMount, type: 'file' | 'directory'): void {
    this.#mounts.push(mount);
    this.#targets.push({ path: toBytes(mount.target.slice(1)), type });
  }

  /** A file with a secret; its folder is the host's for runtime data, which no disk keeps. */
  async secretFile(name: string, content: Uint8Array, { mode, uid, gid }: RunMount): Promise<string> {
    await mkdir(this.#secretsFolder, { recursive: true, mode: 0o700 });
    const path = join(this.#secretsFolder, name);
    await writeFile(path, content, { mode: 0o600 });
    await chown(path, uid ?? 0, gid ?? 0);
    await chmod(path, mode ?? SECRET_MODE);
    return path;
  }

  result(): Omit<ReadyMounts, keyof AsyncDisposable> {
    return { hostMounts: this.hostMounts, mounts: this.#mounts, targets: this.#targets, env: this.env };
  }
}
