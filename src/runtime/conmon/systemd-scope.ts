import { inOwnScope, type ProgramCommand } from '../../system/process/own-scope.ts';
import { parseSignal } from '../../system/process/signal-number.ts';
import { cgroupManager } from '../crun/crun.ts';

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
 * The command for conmon in a scope of its own, where systemd runs the cgroups: else the container would go on without
 * its watcher when our service or login ends. A shutdown stops the container's scope alone, and this one ends by
 * itself, so that the exit code is seen.
 */
export function inConmonScope(command: ProgramCommand, id: string, cgroupsPath: string): ProgramCommand {
  if (cgroupManager(cgroupsPath) !== 'systemd') return command;
  return inOwnScope(command, `ocits-conmon-${id}`, ['DefaultDependencies=no']);
}
