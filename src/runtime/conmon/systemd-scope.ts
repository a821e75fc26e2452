import { randomBytes } from 'node:crypto';
import { findProgram } from '../../system/process/programs.ts';
import { parseSignal } from '../../system/process/signal-number.ts';
import { cgroupManager } from '../crun/crun.ts';
import type { LaunchCommand } from '../launch/launcher.ts';

/** What ends a container. */
export interface StopRule {
  readonly stopSignal: string;
  /** Until it is killed; below 0 for never. */
  readonly stopTimeoutSeconds: number;
}

const INFINITY_USEC = '18446744073709551615';

/**
 * Annotations by which crun tells systemd how to stop a container's scope while the host shuts down: before the network
 * and the mounts go, by the container's own signal, and killed when its time is up. Without them nobody stops it, and
 * one that ignores SIGTERM holds the host up for three minutes. None where systemd does not run the cgroups. Throws
 * `invalid-argument` for a signal that is none.
 */
export function shutdownAnnotations(
  cgroupsPath: string,
  { stopSignal, stopTimeoutSeconds }: StopRule,
): Readonly<Record<string, string>> {
  if (cgroupManager(cgroupsPath) !== 'systemd') return {};
  const timeout = stopTimeoutSeconds < 0 ? INFINITY_USEC : `${Math.max(stopTimeoutSeconds, 1) * 1_000_000}`;
  return {
    'org.systemd.property.KillSignal': `${parseSignal(stopSignal)}`,
    'org.systemd.property.TimeoutStopUSec': `uint64 ${timeout}`,
    'org.systemd.property.Conflicts': "['shutdown.target']",
    'org.systemd.property.Before': "['shutdown.target']",
    'org.systemd.property.After': "['basic.target', 'network.target']",
  };
}

/**
 * The command for conmon in a scope of its own, where systemd runs the cgroups: in ours it would be killed with the
 * service or the login that we were started from, and the container would go on without its watcher. A shutdown stops
 * the container's scope alone, and this one ends by itself, so that the exit code is seen.
 */
export function inOwnScope(command: LaunchCommand, id: string, cgroupsPath: string): LaunchCommand {
  const systemdRun = cgroupManager(cgroupsPath) === 'systemd' ? findProgram('systemd-run') : undefined;
  if (systemdRun === undefined) return command;
  // A name for each start: the scope of the one before lasts until its exit command has ended.
  const unit = `ocits-conmon-${id}-${randomBytes(4).toString('hex')}`;
  const scope = ['--scope', '--collect', '--quiet', '--slice', 'system.slice', '--unit', unit];
  const lasting = ['--property', 'DefaultDependencies=no'];
  return { program: systemdRun, args: [...scope, ...lasting, '--', command.program, ...command.args] };
}
