import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { type Measurement, median } from './measure.ts';

/** All rounds of one scenario, by tool. */
export interface Result {
  readonly scenario: string;
  readonly aim: string;
  readonly rounds: ReadonlyMap<string, readonly Measurement[]>;
}

/** The processor, its cores, memory, kernel and Node. */
export function machine(): string {
  const [first] = cpus();
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const gigabytes = Math.round(totalmem() / 1e9);
  return `${first?.model ?? 'unknown processor'}, ${cpus().length} cores, ${gigabytes} GB, Linux ${kernel}, Node ${process.versions.node}`;
}

/** A Markdown row: each tool's median wall and CPU seconds and peak memory, and ocits' ratios to the best peer. */
export function row({ scenario, aim, rounds }: Result, tools: readonly string[]): string {
  const cells = tools.map((tool) => cell(rounds.get(tool)));
  return `| ${scenario} | ${cells.join(' | ')} | ${ratio(rounds)} | ${aim} |`;
}

export function header(tools: readonly string[]): string {
  const titles = ['scenario: wall s (CPU s, peak MB)', ...tools, '× best peer (CPU)', 'aim'];
  return `| ${titles.join(' | ')} |\n|${titles.map(() => '---').join('|')}|`;
}

function cell(measured: readonly Measurement[] | undefined): string {
  if (measured === undefined || measured.length === 0) return '–';
  const of = (pick: (one: Measurement) => number) => median(measured.map(pick));
  const wall = of(({ wallSeconds }) => wallSeconds).toPrecision(3);
  const cpu = of(({ cpuSeconds }) => cpuSeconds).toPrecision(2);
  return `${wall} (${cpu}, ${Math.round(of(({ peakBytes }) => peakBytes) / 1e6)})`;
}

/** Of the medians of wall time, and in brackets of CPU time, which other work on the machine disturbs less. */
function ratio(rounds: Result['rounds']): string {
  const of = (pick: (one: Measurement) => number) => {
    const medians = [...rounds]
      .filter(([, all]) => all.length > 0)
      .map(([tool, all]) => [tool, median(all.map(pick))] as const);
    const own = medians.find(([tool]) => tool === 'ocits')?.[1];
    const peers = medians.filter(([tool]) => tool !== 'ocits').map(([, seconds]) => seconds);
    return own === undefined || peers.length === 0 ? '–' : (own / Math.min(...peers)).toFixed(2);
  };
  return `${of(({ wallSeconds }) => wallSeconds)} (${of(({ cpuSeconds }) => cpuSeconds)})`;
}
