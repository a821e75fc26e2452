import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crunDelete, openCrun } from '../../../src/runtime/crun/crun.ts';
import { cgroupsPath } from '../../../src/runtime/launch/host-cgroups.ts';
import type { RunningContainer, StartRequest } from '../../../src/runtime/supervisor.ts';
import type { HostPaths } from '../../../src/system/paths.ts';
import { containerSpec, type SpecChanges } from './container-spec.ts';

/** A state of its own, and a root filesystem of busybox; all goes with the test, running containers too. */
export interface ContainerHost extends AsyncDisposable {
  readonly paths: HostPaths;
  readonly folder: string;
  /** The lower directory of every container. */
  readonly image: string;
  /** A request for a new container: an overlay over the image, its streams on pipes. */
  request(changes?: SpecChanges, more?: Partial<StartRequest>): StartRequest;
}

const APPLETS = [
  'sh',
  'cat',
  'echo',
  'ls',
  'sleep',
  'true',
  'false',
  'id',
  'grep',
  'stty',
  'mount',
  'kill',
  'head',
  'dd',
  'touch',
  'chmod',
  'test',
  'readlink',
  'chown',
  'rm',
];

export async function containerHost(): Promise<ContainerHost> {
  const folder = await mkdtemp(join(tmpdir(), 'ocits-run-'));
  const paths = { root: join(folder, 'root'), run: join(folder, 'run') };
  const image = join(folder, 'image');
  makeBusyboxRoot(image);
  const ids: string[] = [];
  return {
    paths,
    folder,
    image,
    request: (changes = {}, more = {}) => {
      const id = `test-${process.pid}-${folder.slice(-6)}-${ids.length}`;
      ids.push(id);
      const own = join(folder, id);
      for (const name of ['rootfs', 'upper', 'work'])
        mkdirSync(join(own, name), { recursive: true, mode: 0o700 });
      chmodSync(join(own, 'upper'), 0o755);
      const layers = [`lowerdir=../image`, 'upperdir=upper', 'workdir=work'];
      return {
        folder: own,
        spec: containerSpec({ id, rootfs: join(own, 'rootfs'), cgroupsPath: cgroupsPath(id), ...changes }),
        rootMounts: [{ type: 'overlay', source: 'overlay', options: layers, folder: own }],
        stdio: { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
        ...more,
      };
    },
    [Symbol.asyncDispose]: async () => {
      const crun = await openCrun(paths);
      for (const id of ids) await crunDelete(crun, id);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A root filesystem with busybox and files that cannot be executed in several ways. */
function makeBusyboxRoot(root: string): void {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'sbin'])
    mkdirSync(join(root, name), { recursive: true });
  chmodSync(root, 0o755);
  cpSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'etc/plain'), 'text\n', { mode: 0o644 });
  writeFileSync(join(root, 'bin/garbage'), 'no program\n', { mode: 0o755 });
  writeFileSync(join(root, 'bin/lost'), '#!/no/interpreter\n', { mode: 0o755 });
  symlinkSync('loop', join(root, 'bin/loop'));
}

/** What a container prints and how it ends. */
export async function outcome(
  container: RunningContainer,
): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const [stdout, stderr] = await Promise.all([readAll(container.stdout), readAll(container.stderr)]);
  const { exitCode } = await container.wait();
  return { stdout, stderr, exitCode };
}

async function readAll(stream: AsyncIterable<unknown> | undefined): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}
