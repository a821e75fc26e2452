/**
 * The room of what a start needs of the host: a private mount namespace, its cgroups, the facts that `config.json`
 * depends on, and the environment of crun and conmon. The other rooms of the runtime call it; `container` and builds
 * have mounts made by it, and `info` shows how cgroups are laid out. It starts no process itself: it gives a command
 * to start.
 *
 *     const { program, args } = await launchCommand({ rootfs: { mounts, target }, program: 'tar', args: ['-c', '.'] });
 *     const child = spawnTool(program, args, ['ignore', 'pipe', 'inherit'], { env: toolEnvironment() });
 */

import { OcitsError } from '../../errors.ts';
import type { Mount } from '../../system/mount.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { hostCgroups } from './host-cgroups.ts';

/**
 * Makes `mounts` inside a private mount namespace and runs a program there, so that the mounts live as long as
 * what runs in it and vanish with it.
 */
export interface LaunchPlan {
  /** The mount that has the tree, and where it goes: an existing folder. */
  readonly rootfs?: { readonly mounts: readonly Mount[]; readonly target: string } | undefined;
  /** Absolute, or a name that is looked up in the host's PATH. */
  readonly program: string;
  readonly args: readonly string[];
  /** An absolute path: what mount says when it fails is appended there instead of to standard error. */
  readonly errorFile?: string | undefined;
}

/** A program and its arguments that carry out a plan; to be spawned with the caller's descriptors. */
export interface LaunchCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** How the launched process ends when a mount could not be made. */
export const LAUNCH_FAILED_CODE = 125;

/**
 * Carries out a plan in the new namespace, with nothing but mount(8) and umount(8), then becomes the program. This is
 * a constant: every path and option reaches it as a positional argument, and none is ever expanded, split or
 * evaluated as shell text. One `sh` that becomes the program costs a millisecond; a second Node would cost forty.
 *
 * Arguments: error file or '', mount to hide or '', then for each mount `mount` and five values, then `run` and the
 * program. Descriptor 9 keeps standard error while it is turned to the file.
 */
const SCRIPT = `
errors=$1 hidden=$2
shift 2
if [ -n "$errors" ]; then exec 9>&2 2>>"$errors"; fi
if [ -n "$hidden" ]; then umount -i -n -c -- "$hidden" || exit ${LAUNCH_FAILED_CODE}; fi
while [ "$1" = mount ]; do
  cd -- "$2" || exit ${LAUNCH_FAILED_CODE}
  mount -i -n -c -t "$3" -o "$4" -- "$5" "$6" || exit ${LAUNCH_FAILED_CODE}
  shift 6
done
shift
cd /
if [ -n "$errors" ]; then exec 2>&9 9>&-; fi
exec "$@"
`;

/**
 * The command that makes the plan's mounts in a mount namespace of its own and becomes the program there: it keeps
 * its process ID, descriptors and environment, and its current directory is `/`. Mounts that the host makes or
 * removes later are followed; nothing done inside reaches the host. On a host with hybrid cgroups the namespace shows
 * plain v1, which is what crun can use. Throws `missing-program`.
 */
export async function launchCommand(plan: LaunchPlan): Promise<LaunchCommand> {
  const program = plan.program.startsWith('/') ? plan.program : requireProgram(plan.program);
  const mounts = plan.rootfs === undefined ? [] : mountArguments(plan.rootfs);
  const hidden = hostCgroups().hiddenMount ?? '';
  return {
    program: requireProgram('unshare'),
    args: [
      ...['--mount', '--propagation', 'slave', '--', '/bin/sh', '-c', SCRIPT, 'ocits-launch'],
      ...[plan.errorFile ?? '', hidden, ...mounts, 'run', program, ...plan.args],
    ],
  };
}

function mountArguments({ mounts, target }: NonNullable<LaunchPlan['rootfs']>): readonly string[] {
  return mounts.flatMap((mount) => {
    const isBind = mount.type === 'bind' || mount.type === 'rbind';
    const type = isBind ? 'none' : mount.type;
    const binding = isBind && !mount.options.some((option) => option === 'bind' || option === 'rbind');
    const options = binding ? [mount.type, ...mount.options] : mount.options;
    const folder = mount.folder ?? '/';
    const where = mount.target ?? target;
    for (const path of [folder, where]) {
      if (!path.startsWith('/')) throw new OcitsError('internal', `the mount path ${path} is not absolute`);
    }
    return ['mount', folder, type, options.join(',') || 'defaults', mount.source, where];
  });
}
