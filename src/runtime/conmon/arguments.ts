import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../system/process/programs.ts';
import type { BundleFolder } from '../crun/bundle-folder.ts';
import { type Crun, cgroupManager, crunOptions } from '../crun/crun.ts';
import { crunLogOptions } from '../crun/crun-log.ts';
import { PID_FILE } from '../crun/records.ts';
import type { StartRequest } from '../supervisor.ts';
import type { ConmonFolder } from './conmon-folder.ts';

/**
 * What conmon runs when the container has ended: a constant, with all data as positional arguments. `pid` is there
 * once the start went well; before that a failed start clears up after itself. The container's root is still mounted
 * in this mount namespace, where it would keep the container's folder busy.
 */
const EXIT_SCRIPT = `
[ -e "$1" ] || exit 0
umount -l -n -c -- "$2"
shift 2
exec "$@"
`;

/** conmon(8): the arguments to create and watch the container of `request`. */
export function conmonArguments(
  crun: Crun,
  files: BundleFolder,
  conmonFiles: ConmonFolder,
  { folder, spec, exitCommand, keepStdin = false, stdio }: StartRequest,
): readonly string[] {
  const runtime = [...crunOptions(crun, spec.cgroupsPath), ...crunLogOptions(files.runtimeLog)];
  const stdin = keepStdin || stdio.stdin !== 'ignore';
  const exit =
    exitCommand === undefined
      ? []
      : [
          '/bin/sh',
          '-c',
          EXIT_SCRIPT,
          'ocits-exit',
          join(folder, PID_FILE),
          spec.rootfs,
          ...inHostMounts(exitCommand),
        ];
  return [
    ...['--api-version', '1', '--cid', spec.id, '--cuuid', conmonFiles.socketId, '--name', spec.id],
    ...['--runtime', crun.program, '--bundle', files.bundle, '--log-level', 'error'],
    ...['--container-pidfile', files.runtimePid, '--conmon-pidfile', conmonFiles.conmonPid],
    ...['--exit-dir', conmonFiles.exits, '--persist-dir', conmonFiles.exits],
    ...['--socket-dir-path', conmonFiles.sockets, '--log-path', `k8s-file:${conmonFiles.log}`],
    ...(cgroupManager(spec.cgroupsPath) === 'systemd' ? ['--systemd-cgroup'] : []),
    ...(spec.process.terminal ? ['--terminal'] : []),
    ...(stdin ? ['--stdin'] : []),
    ...(keepStdin ? ['--leave-stdin-open'] : []),
    ...runtime.flatMap((argument) => ['--runtime-arg', argument]),
    ...exit.flatMap((argument, index) => [index === 0 ? '--exit-command' : '--exit-command-arg', argument]),
  ];
}

/**
 * Where the host's first process has the same mounts as we, the exit command enters its mount namespace and sees the
 * host's mounts as they are. Elsewhere it sees conmon's view, which follows the host's.
 */
function inHostMounts(command: readonly string[]): readonly string[] {
  const nsenter = findProgram('nsenter');
  if (nsenter === undefined || mountNamespace('1') !== mountNamespace('self')) return command;
  return [nsenter, '--target', '1', '--mount', '--', ...command];
}

/** Undefined for a process that we may not look into. */
function mountNamespace(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}
