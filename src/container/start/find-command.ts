import { constants } from 'node:fs';
import type { ProcessSpec } from '../../bundle/container-spec.ts';
import type { Engine } from '../../engine.ts';
import { commandNotExecutable, commandNotFound } from '../../runtime/crun/start-failure.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';

const EXECUTABLE = 0o111;

/**
 * Throws `not-found` (exit code 127) where the container cannot have the command, and `not-executable` (126) where
 * nobody may execute it. Passes where it is not certain, and crun decides then. Asking here first keeps crun's own
 * message off the container's standard error. It is certain for a path, and for a name where every folder of PATH is
 * absolute, as long as only the image's layers and what the container has written are on the way, and no mount.
 */
export async function checkCommand(
  engine: Engine,
  record: ContainerRecord,
  { args, env, cwd }: Pick<ProcessSpec, 'args' | 'env' | 'cwd'>,
): Promise<void> {
  const [command = ''] = args;
  const candidates = candidatesOf(command, env, cwd);
  if (candidates === undefined) return;
  const parents = record.image.snapshots;
  const folder = containerFolder(engine.paths, record.id).writable;
  const targets = record.mounts.map(({ target }) => toBytes(target));
  const places = await (await engine.snapshotter()).look({ parents, folder }, [...candidates, ...targets]);
  // A target that is not there yet counts from where the image ends.
  const covered = new Set(places.slice(candidates.length).map(({ way }) => way.at(-1)));
  const looked = places.slice(0, candidates.length);
  if (looked.some(({ way }) => way.some((place) => covered.has(place)))) return;
  const found = looked.flatMap(({ mode }) => (mode === undefined ? [] : [mode]));
  if (found.some(isExecutableFile)) return;
  if (command.includes('/') && found.length > 0) throw commandNotExecutable(command, 'Permission denied');
  throw commandNotFound(command);
}

/**
 * The paths from the root where the command may be. Undefined where it may also be elsewhere than in the image's files.
 */
function candidatesOf(command: string, env: readonly string[], cwd: string): readonly string[] | undefined {
  if (command === '') return undefined;
  const isPath = command.includes('/');
  const path = env.find((text) => text.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const folders = path.split(':');
  if (!isPath && !folders.every((folder) => folder.startsWith('/'))) return undefined;
  const places = isPath
    ? [command.startsWith('/') ? command : `${cwd}/${command}`]
    : folders.map((folder) => `${folder}/${command}`);
  return places.some(isOfRuntime) ? undefined : places.map(toBytes);
}

/** What stands there is not the image's. */
function isOfRuntime(path: string): boolean {
  return (
    path.split('/').some((part) => part === '..') || /^\/+(?:proc|dev|sys|sbin\/docker-init$)/.test(path)
  );
}

function isExecutableFile(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFREG && (mode & EXECUTABLE) !== 0;
}
