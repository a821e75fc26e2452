/**
 * The room of host ports: which one a container gets, the sockets that have it from the choice on, and the process
 * that keeps these sockets as long as the container runs. The controller and the drivers call it. A holder is a shell
 * that sleeps, some 250 KiB of memory whatever the number of ports. It has the sockets open, so that no other program
 * can have the ports, and starts the forwarder when somebody comes whom no rule diverts.
 *
 *     const holder = await startHolder({ id, fifo, sockets: sockets.all, address }, saveHolder);
 *     await stopHolder({ id, fifo, holder });
 */

import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { OcitsError } from '../../errors.ts';
import { readBootId } from '../../system/process/boot-id.ts';
import { inheritedFds } from '../../system/process/inherited-fds.ts';
import { inOwnScope, type ProgramCommand, runsSystemd } from '../../system/process/own-scope.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../system/process/process-identity.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { exited, spawnTool, tail } from '../../system/process/spawn.ts';
import { FORWARDER } from './forwarder.ts';
import type { PortSocket } from './port-sockets.ts';

export interface HolderRequest {
  /** The sandbox's: it shows in lists of processes, and the holder is found by it. */
  readonly id: string;
  /** Where a named pipe may be made for a moment. */
  readonly fifo: string;
  readonly sockets: readonly PortSocket[];
  /** The container's address, to which the ports lead. */
  readonly address: string;
}

/**
 * What the holder runs, a constant. It reaches the shell by standard input: so nothing is run before the record names
 * the process, and nothing stays if we are killed before. A signal of the kernel's becomes a line in a pipe, and what is
 * waited for is a program that reads one: so no signal is lost that comes while the forwarder runs, or just before the
 * wait.
 *
 * Arguments: perl, the named pipe, then the forwarder's. Descriptor 3 is the pipe, 4 and on are the sockets.
 */
const HOLDER = `{
perl=$1 fifo=$2
shift 2
mkfifo -m 600 -- "$fifo" && exec 3<>"$fifo" && rm -- "$fifo" || exit
trap 'echo >&3' IO
"$perl" -e "$OCITS_FORWARDER" watch "$$" "$@" || exit
exec </dev/null 2>/dev/null
echo ready
exec >/dev/null
while :; do
  head -n 1 <&3 & waiter=$!
  while kill -0 "$waiter"; do wait "$waiter"; done
  "$perl" -e "$OCITS_FORWARDER" serve "$@"
done
}
`;

const FIRST_SOCKET_FD = 4;

/**
 * Starts the process that holds `sockets`, and returns when it has them: the caller may close its own. `save` is
 * called with its identity before it does anything, to write that down. Throws `missing-program` for perl, and
 * `tool-failed`.
 */
export async function startHolder(
  { id, fifo, sockets, address }: HolderRequest,
  save: (holder: ProcessIdentity) => Promise<void>,
): Promise<void> {
  const ports = sockets.map(({ mapping: { protocol, containerPort } }, index) =>
    [FIRST_SOCKET_FD + index, protocol, address, containerPort].join('/'),
  );
  const args = ['-s', requireProgram('perl'), fifo, id, ...ports];
  const shell = { program: '/bin/sh', args };
  const command = runsSystemd() ? inOwnScope(shell, `ocits-ports-${id}`) : shell;
  const child = spawnHolder(command, id, sockets);
  const exit = exited(child, command.program);
  exit.catch(() => {});
  const errors = tail(child.stderr!);
  errors.catch(() => {});
  try {
    const holder = child.pid === undefined ? undefined : identifyProcess(child.pid);
    if (holder === undefined) await exit;
    else await save(holder);
    child.stdin!.on('error', () => {});
    child.stdin!.end(HOLDER);
    if (holder !== undefined && (await firstLine(child.stdout!)) === 'ready') return;
    const { code, signal } = await exit;
    const why = (await errors).trim() || `it ended with ${code ?? signal}`;
    throw new OcitsError('tool-failed', `the published ports cannot be held: ${why}`);
  } finally {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    child.unref();
  }
}

/** A session of its own, so that it is one group of processes; and no descriptor but its own. */
function spawnHolder({ program, args }: ProgramCommand, id: string, sockets: readonly PortSocket[]) {
  const nullFd = openSync('/dev/null', 'r+');
  try {
    const stdio: ('pipe' | 'ignore' | number)[] = ['pipe', 'pipe', 'pipe', nullFd];
    stdio.push(...sockets.map(({ fd }) => fd));
    for (const fd of inheritedFds()) stdio[fd] ??= nullFd;
    for (let fd = 0; fd < stdio.length; fd++) stdio[fd] ??= 'ignore';
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', OCITS_SANDBOX: id, OCITS_FORWARDER: FORWARDER };
    return spawnTool(program, args, stdio, { cwd: '/', env, detached: true });
  } finally {
    closeSync(nullFd);
  }
}

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0] ?? '';
}

const STOP_MS = 5000;
const STOP_CHECK_MS = 5;

/**
 * Ends a holder with all that it has started, and returns when the ports are free. What was started ends also where
 * somebody has killed the holder itself. Idempotent.
 */
export async function stopHolder({
  id,
  fifo,
  holder,
}: Pick<HolderRequest, 'id' | 'fifo'> & { readonly holder: ProcessIdentity }): Promise<void> {
  const deadline = Date.now() + STOP_MS;
  while (Date.now() < deadline) {
    const members = groupMembers(holder, id);
    if (members.length === 0) break;
    for (const pid of members) kill(pid);
    await delay(STOP_CHECK_MS);
  }
  await rm(fifo, { force: true });
}

/** The holder of a sandbox whose record is damaged, by what it was started with; undefined where there is none. */
export function findHolder(id: string): ProcessIdentity | undefined {
  const pid = processIds().find(
    (each) => groupOf(each) === each && textOf(`/proc/${each}/environ`).includes(`OCITS_SANDBOX=${id}\0`),
  );
  return pid === undefined ? undefined : identifyProcess(pid);
}

/** The processes that run in the group of a holder. The number may be another group's by now, so what they were started with counts, too. */
function groupMembers(holder: ProcessIdentity, id: string): readonly number[] {
  if (holder.bootId !== readBootId()) return [];
  const others = processIds().filter(
    (pid) => pid !== holder.pid && groupOf(pid) === holder.pid && isOf(pid, id),
  );
  return isRunning(holder) ? [holder.pid, ...others] : others;
}

function processIds(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A process's group (proc(5), field 5 of stat); undefined where it has ended. */
function groupOf(pid: number): number | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[2]);
}

function isOf(pid: number, id: string): boolean {
  return ['cmdline', 'environ'].some((name) => textOf(`/proc/${pid}/${name}`).includes(id));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
