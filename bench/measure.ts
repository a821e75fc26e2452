import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A command line with its environment, as it is timed. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Measurement {
  readonly wallSeconds: number;
  /** Of the command and all it waited for, and of the tool's daemons. */
  readonly cpuSeconds: number;
  /** Resident memory of the largest process. */
  readonly peakBytes: number;
}

/** Runs a command to its end, reading and dropping what it prints; throws with the end of its output where it fails. */
export async function measure(
  command: Command,
  work: string,
  daemons: readonly number[],
): Promise<Measurement> {
  const report = join(work, 'time.txt');
  const before = daemonSeconds(daemons);
  const started = performance.now();
  await runCommand({
    ...command,
    program: 'time',
    args: ['-f', '%U %S %M', '-o', report, command.program, ...command.args],
  });
  const wallSeconds = (performance.now() - started) / 1000;
  const [user = 0, system = 0, kilobytes = 0] = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .at(-1)!
    .split(' ')
    .map(Number);
  const cpuSeconds = user + system + daemonSeconds(daemons) - before;
  return { wallSeconds, cpuSeconds, peakBytes: Math.max(kilobytes * 1024, ...daemons.map(peakOf)) };
}

/** As `measure`, without a clock: for what comes before. Resolves to what was printed on standard output, its end. */
export async function runCommand({ program, args, env, cwd }: Command): Promise<string> {
  const child = spawn(program, [...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let out = '';
  let problems = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.length < 4096) out = (out + chunk.toString()).slice(-4096);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    problems = (problems + chunk.toString()).slice(-4096);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}: ${problems || out}`);
  return out;
}

const TICKS_PER_SECOND = 100;

function daemonSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number);
    return sum + fields.slice(11, 15).reduce((a, b) => a + b, 0) / TICKS_PER_SECOND;
  }, 0);
}

function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
