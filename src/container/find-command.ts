import { constants } from 'node:fs';
import { commandNotExecutable, commandNotFound } from '../runtime/start-failure.ts';
import { containerFolder } from './container-folder.ts';
import type { ContainerHost } from './container-host.ts';
import type { ContainerRecord } from './container-record.ts';

const EXECUTABLE = 0o111;

/**
 * Throws `not-found` (exit code 127) where the container cannot have the command, and `not-executable` (126) where nobody may
 * execute it. Passes whatever is not certain: crun would print its own message on the container's standard error
 * besides ours, so this is only to be asked first. Certain is an absolute path, or a name with every folder of PATH
 * absolute, in the image's layers and what the container has written, where nothing is mounted over them.
 */
export async function checkCommand(
  host: ContainerHost,
  record: ContainerRecord,
  { args, env }: { readonly args: readonly string[]; readonly env: readonly string[] },
): Promise<void> {
  const [command = ''] = args;
  const candidates = candidatesOf(command, env);
  const { mounts, host: options } = record;
  if (candidates === undefined || mounts.length > 0 || options.security.privileged) return;
  const parents = record.image.snapshots;
  const folder = containerFolder(host.paths, record.id).writable;
  const modes = await (await host.snapshotter()).modes({ parents, folder }, candidates);
  const found = modes.filter((mode) => mode !== undefined);
  if (found.some(isExecutableFile)) return;
  if (command.startsWith('/') && found.length > 0) throw commandNotExecutable(command, 'Permission denied');
  throw commandNotFound(command);
}

/** Where the command may be, from the root; undefined: other places than the image's files may have it. */
function candidatesOf(command: string, env: readonly string[]): readonly string[] | undefined {
  const absolute = command.startsWith('/');
  if (command === '' || (command.includes('/') && !absolute)) return undefined;
  const path = env.find((text) => text.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const folders = path.split(':');
  if (!absolute && !folders.every((folder) => folder.startsWith('/'))) return undefined;
  const places = absolute ? [command] : folders.map((folder) => `${folder}/${command}`);
  return places.some(isOfRuntime) ? undefined : places.map((place) => Buffer.from(place).toString('latin1'));
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
