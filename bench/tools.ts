import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './measure.ts';

export interface BuildRequest {
  readonly tag: string;
  readonly context: string;
  readonly cached: boolean;
}

/** One of the programs that are compared: the same jobs in its own words. */
export interface Tool extends AsyncDisposable {
  readonly name: string;
  /** Processes whose time counts for every command. */
  readonly daemons: readonly number[];
  pull(image: string): Command;
  run?(options: readonly string[], image: string, words: readonly string[]): Command;
  build?(request: BuildRequest): Command;
  push(image: string): Command;
  save?(image: string, file: string): Command;
  load?(file: string): Command;
  remove(image: string): Command;
}

export interface ToolPlace {
  /** On the tool's own disk. */
  readonly folder: string;
  /** Host and port of the registry that all use. */
  readonly registry: string;
}

export type ToolName = 'ocits' | 'podman' | 'buildah' | 'docker';

const NOFILE = 'nofile=1024:4096';
const NPROC = 'nproc=4096:4096';
const root = join(import.meta.dirname, '..');

/** Whether the tool is installed here. */
export function isInstalled(name: ToolName): boolean {
  return name === 'ocits' || existsSync(name === 'docker' ? '/usr/sbin/dockerd' : `/usr/bin/${name}`);
}

export async function openTool(name: ToolName, place: ToolPlace): Promise<Tool> {
  if (name === 'docker') return await openDocker(place);
  return name === 'ocits' ? openOcits(place) : openContainersTool(name, place);
}

function openOcits({ folder, registry }: ToolPlace): Tool {
  const env = {
    ...process.env,
    OCITS_ROOT: join(folder, 'root'),
    OCITS_RUN: join(folder, 'run'),
    CONTAINERS_REGISTRIES_CONF: registriesConf(folder, registry),
  };
  const ocits = (...args: string[]): Command => ({
    program: process.execPath,
    args: [join(root, 'bin/ocits.js'), ...args],
    env,
  });
  return {
    name: 'ocits',
    daemons: [],
    pull: (image) => ocits('pull', image),
    run: (options, image, words) => ocits('run', ...options, image, ...words),
    build: ({ tag, context, cached }) =>
      ocits('build', '-t', tag, ...(cached ? [] : ['--no-cache']), context),
    push: (image) => ocits('push', image),
    save: (image, file) => ocits('save', '-o', file, image),
    load: (file) => ocits('load', '-i', file),
    remove: (image) => ocits('rmi', '-f', image),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** podman and buildah, which share storage, settings and most words. */
function openContainersTool(name: 'podman' | 'buildah', { folder, registry }: ToolPlace): Tool {
  const conf = join(folder, 'containers.conf');
  writeFileSync(
    conf,
    `[containers]\ndefault_ulimits = ["${NOFILE}", "${NPROC}"]\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n`,
  );
  const storageConf = join(folder, 'storage.conf');
  writeFileSync(
    storageConf,
    `[storage]\ndriver = "overlay"\nrunroot = "${join(folder, 'run')}"\ngraphroot = "${join(folder, 'root')}"\n`,
  );
  const policy = join(folder, 'policy.json');
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const env = {
    ...process.env,
    CONTAINERS_CONF: conf,
    CONTAINERS_REGISTRIES_CONF: registriesConf(folder, registry),
    CONTAINERS_STORAGE_CONF: storageConf,
    BUILDAH_FORMAT: 'oci',
  };
  const storage = [
    '--root',
    join(folder, 'root'),
    '--runroot',
    join(folder, 'run'),
    '--storage-driver',
    'overlay',
  ];
  const call = (...args: string[]): Command => ({
    program: `/usr/bin/${name}`,
    args: [...storage, ...args],
    env,
  });
  const signature = ['--signature-policy', policy];
  const build = name === 'podman' ? ['build'] : ['bud'];
  const jobs: Tool = {
    name,
    daemons: [],
    pull: (image) =>
      call(
        'pull',
        ...(name === 'podman' ? [] : signature),
        `docker.io/${image.includes('/') ? image : `library/${image}`}`,
      ),
    build: ({ tag, context, cached }) =>
      call(
        ...build,
        '--layers',
        ...(cached ? [] : ['--no-cache']),
        ...(name === 'buildah' ? signature : []),
        '-t',
        tag,
        context,
      ),
    push: (image) =>
      call(
        'push',
        '--tls-verify=false',
        ...(name === 'buildah' ? signature : []),
        image,
        `docker://${registry}/${image}`,
      ),
    remove: (image) => call('rmi', '-f', image),
    [Symbol.asyncDispose]: async () => {},
  };
  if (name === 'buildah') return jobs;
  return {
    ...jobs,
    run: (options, image, words) =>
      call('run', '--ulimit', NOFILE, '--ulimit', NPROC, ...options, image, ...words),
    save: (image, file) => call('save', '-o', file, image),
    load: (file) => call('load', '-i', file),
  };
}

/** A daemon of its own, up before the clock runs. */
async function openDocker({ folder, registry }: ToolPlace): Promise<Tool> {
  const socket = `unix://${join(folder, 'docker.sock')}`;
  mkdirSync(join(folder, 'data'), { recursive: true });
  const settings = join(folder, 'daemon.json');
  writeFileSync(
    settings,
    JSON.stringify({ 'registry-mirrors': [`http://${registry}`], 'insecure-registries': [registry] }),
  );
  const paths = [
    '--data-root',
    join(folder, 'data'),
    '--exec-root',
    join(folder, 'exec'),
    '-p',
    join(folder, 'docker.pid'),
  ];
  const daemon = spawn(
    '/usr/sbin/dockerd',
    ['--config-file', settings, '-H', socket, ...paths, '--default-ulimit', NOFILE],
    {
      stdio: ['ignore', 'ignore', 'ignore'],
    },
  );
  const env = { ...process.env, DOCKER_HOST: socket, DOCKER_BUILDKIT: '1', DOCKER_CONFIG: folder };
  const docker = (...args: string[]): Command => ({ program: '/usr/bin/docker', args, env });
  await daemonAnswers(join(folder, 'docker.sock'));
  const names = (image: string) => `${registry}/${image}`;
  return {
    name: 'docker',
    daemons: [daemon.pid!, ...childrenOf(daemon.pid!)],
    pull: (image) => docker('pull', image),
    run: (options, image, words) => docker('run', ...options, image, ...words),
    build: ({ tag, context, cached }) =>
      docker('build', ...(cached ? [] : ['--no-cache']), '-t', tag, '-t', names(tag), context),
    push: (image) => docker('push', names(image)),
    save: (image, file) => docker('save', '-o', file, image),
    load: (file) => docker('load', '-i', file),
    remove: (image) => docker('rmi', '-f', image),
    [Symbol.asyncDispose]: () => stop(daemon),
  };
}

async function daemonAnswers(socket: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!existsSync(socket)) {
    if (Date.now() > deadline) throw new Error('dockerd did not start within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function registriesConf(folder: string, registry: string): string {
  const path = join(folder, 'registries.conf');
  const mirrored = `[[registry]]\nprefix = "docker.io"\nlocation = "${registry}"\ninsecure = true\n`;
  writeFileSync(
    path,
    `unqualified-search-registries = ["docker.io"]\n${mirrored}[[registry]]\nlocation = "${registry}"\ninsecure = true\n`,
  );
  return path;
}
