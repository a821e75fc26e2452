import { constants } from 'node:fs';
import type { ProcessSpec } from '../../bundle/container-spec.ts';
import type { Engine } from '../../engine.ts';
import { commandNotExecutable, commandNotFound } from '../../runtime/crun/start-failure.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';

const EXECUTABLE = 0o111;

/**
 * Throws `not-found` (exit code 127) where the container cannot have the command, and `not-executable` (126) where nobody may
 * execute it. Passes whatever is not certain: crun would print its own message on the container's standard error
 * besides ours, so this is only to be asked first. Certain is a path, or a name with every folder of PATH absolute, in the image's layers and what the container has written, where no mount is on the way there.
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

/** Where the command may be, from the root; undefined: other places than the image's files may have it. */
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
