import { readdirSync, readlinkSync } from 'node:fs';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { runTool } from '../../system/process/spawn.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState } from '../record/state.ts';

/** The processes of a running container, as `ps` of the host shows them: a header and lines. Throws `in-use`. */
export async function containerProcesses(
  engine: Engine,
  record: ContainerRecord,
  psArguments: readonly string[],
): Promise<readonly string[]> {
  const { status, pid } = containerState(engine.paths, record.id);
  if (status !== 'running') throw new OcitsError('in-use', `container ${record.name} is not running`);
  const pids = sameNamespace(pid);
  const { stdout } = await runTool('ps', psArguments.length === 0 ? ['-ef'] : psArguments);
  const [header = '', ...lines] = stdout.toString().trimEnd().split('\n');
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new OcitsError('invalid-argument', 'the output of ps must have a column PID');
  return [header, ...lines.filter((line) => pids.has(Number(line.trim().split(/\s+/)[column])))];
}

/** All processes in the PID namespace of `pid`. */
function sameNamespace(pid: number): ReadonlySet<number> {
  const own = namespaceOf(pid);
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return new Set(all.filter((each) => namespaceOf(each) === own));
}

/** Undefined for a process that has ended in between. */
function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
