import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { isErrno } from '../../errors.ts';
import { findProgram } from './programs.ts';

/** A program and its arguments, to be spawned with the caller's descriptors. */
export interface ProgramCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** Whether systemd runs this host, and can be asked (sd_booted(3)). */
export function runsSystemd(): boolean {
  return exists('/run/systemd/system') && exists('/run/dbus/system_bus_socket');
}

/**
 * The command in a scope of its own, for what outlives us on a host of systemd's: in our own cgroup it would be killed
 * with the service or the login that we were started from. It keeps its process ID and descriptors. `name` is that of
 * the unit, to which random digits are added: the scope of the one before may still be there. Where there is no
 * systemd-run, the command as it is.
 */
export function inOwnScope(
  { program, args }: ProgramCommand,
  name: string,
  properties: readonly string[] = [],
): ProgramCommand {
  const systemdRun = findProgram('systemd-run');
  if (systemdRun === undefined) return { program, args };
  const unit = `${name}-${randomBytes(4).toString('hex')}`;
  const scope = ['--scope', '--collect', '--quiet', '--slice', 'system.slice', '--unit', unit];
  const settings = properties.flatMap((property) => ['--property', property]);
  return { program: systemdRun, args: [...scope, ...settings, '--', program, ...args] };
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}
