import { constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { isatty } from 'node:tty';
import { isErrno } from '../../errors.ts';

/**
 * What one of our descriptors 0 to 2 is. `pipe`: a pipe or a socket without a name, which a container may have as it
 * is. `null`: the host's /dev/null. `terminal`, and `file` for all else, a named pipe among it: the host's own, which a
 * container could read, change and give another owner.
 */
export type DescriptorKind = 'pipe' | 'null' | 'terminal' | 'file';

/** The kind of one of our descriptors. */
export function descriptorKind(fd: number): DescriptorKind {
  if (/^(?:pipe|socket):\[/.test(readlinkSync(`/proc/self/fd/${fd}`))) return 'pipe';
  if (isNullDevice(fstatSync(fd))) return 'null';
  return isatty(fd) ? 'terminal' : 'file';
}

/** Whether two descriptors are open on the same file. */
export function isSameFile(left: number, right: number): boolean {
  const [a, b] = [fstatSync(left), fstatSync(right)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** Whether it is a node of the null device, wherever it stands. */
export function isNullDevice({ rdev, ...stats }: Stats): boolean {
  return (stats.mode & constants.S_IFMT) === constants.S_IFCHR && rdev === NULL_DEVICE;
}

/** Major 1, minor 3, on every Linux. */
const NULL_DEVICE = 0x103;

/**
 * A pipe that we have inherited, opened anew: Node may have made it non-blocking on our side, and a program in a
 * container would fail on that. Undefined where the descriptor is a socket, or not ours to open.
 */
export function reopenPipe(fd: number): number | undefined {
  try {
    if (!fstatSync(fd).isFIFO()) return undefined;
    return openSync(`/proc/self/fd/${fd}`, fd === 0 ? constants.O_RDONLY : constants.O_WRONLY);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ENOENT', 'EBADF')) return undefined;
    throw error;
  }
}
