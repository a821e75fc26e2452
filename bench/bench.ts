/**
 * ocits beside podman, buildah and Docker, in turn, on the same images from one loopback registry.
 * `npm run bench -- [--rounds N] [--only TEXT] [--tools ocits,podman]`
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { baseImages } from '../scripts/images/base-images.ts';
import { seedRegistry } from '../scripts/images/seed-registry.ts';
import { startLoopbackRegistry } from '../scripts/loopback-registry.ts';
import { type Contexts, makeContexts } from './contexts.ts';
import { largeImages } from './large-image.ts';
import { LINK_SCENARIO, linkScenario } from './link-scenario.ts';
import { type Measurement, measure, runCommand } from './measure.ts';
import { header, machine, row } from './report.ts';
import { type Round, SCENARIOS, type Scenario } from './scenarios.ts';
import { freshDisk } from './state.ts';
import { isInstalled, openTool, type ToolName } from './tools.ts';

const ALL_TOOLS: readonly ToolName[] = ['ocits', 'podman', 'buildah', 'docker'];
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    tools: { type: 'string', default: ALL_TOOLS.join() },
  },
});

if (process.env['OCITS_BENCH_INSIDE'] === undefined) outside();
else await inside();

/** Everything happens in namespaces of its own: bridges, rules and mounts of all tools vanish with them. */
function outside(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, '../scripts/build.ts')], { stdio: 'inherit' });
  baseImages(['busybox', 'node']);
  largeImages();
  const again = [process.execPath, import.meta.filename, ...process.argv.slice(2)];
  const { status } = spawnSync('unshare', ['--net', '--mount', '--propagation', 'private', ...again], {
    stdio: 'inherit',
    env: { ...process.env, OCITS_BENCH_INSIDE: '1' },
  });
  process.exitCode = status ?? 1;
}

async function inside(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'ocits-bench-'));
  try {
    ownNamespaces(work);
    await using registry = await startLoopbackRegistry(join(work, 'registry'));
    const url = `http://${registry.host}`;
    const layouts = { ...baseImages(['busybox', 'node']), ...largeImages() };
    await seedRegistry(url, layouts.busybox, 'library/busybox', 'latest');
    await seedRegistry(url, layouts.node, 'library/node', 'latest');
    await seedRegistry(url, layouts.large, 'library/bench-large', 'latest');
    await seedRegistry(url, layouts.part, 'library/bench-part', 'latest');
    const contexts = await makeContexts(work);
    const tools = ALL_TOOLS.filter((name) => values.tools.split(',').includes(name) && isInstalled(name));
    console.log(`${machine()}; medians of ${values.rounds}\n\n${header(tools)}`);
    for (const scenario of SCENARIOS.filter(({ name }) => name.includes(values.only))) {
      const rounds = await runScenario(scenario, { tools, work, contexts, registry: registry.host });
      console.log(row({ scenario: scenario.name, aim: scenario.aim, rounds }, tools));
    }
    if (LINK_SCENARIO.includes(values.only)) {
      const setting = { work, registry: registry.host, rounds: Number(values.rounds) };
      console.log(`\n${await linkScenario('bench-large', setting)}`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The devices of this network under /sys, and cgroups as crun in the peers takes them: no stray controller beside v1. */
function ownNamespaces(work: string): void {
  const mount = (...args: string[]) => execFileSync('mount', args);
  const cgroups = join(work, 'cgroup');
  mkdirSync(cgroups);
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  mount('--rbind', '/sys/fs/cgroup', cgroups);
  execFileSync('umount', ['--lazy', '/sys']);
  mount('-t', 'sysfs', 'sysfs', '/sys');
  mount('--rbind', cgroups, '/sys/fs/cgroup');
  execFileSync('umount', ['--lazy', cgroups]);
  spawnSync('umount', ['/sys/fs/cgroup/unified'], { stdio: 'ignore' });
}

interface Setting {
  readonly tools: readonly ToolName[];
  readonly work: string;
  readonly contexts: Contexts;
  readonly registry: string;
}

/** All tools in turn, round by round, so that a drift of the machine meets all alike. A tool that fails is left out. */
async function runScenario(scenario: Scenario, setting: Setting): Promise<Map<string, Measurement[]>> {
  const measured = new Map<string, Measurement[]>(setting.tools.map((name) => [name, []]));
  const count = Number(values.rounds);
  if (scenario.cold === true) {
    for (let number = 0; number < count; number++) {
      for (const name of setting.tools) {
        await withTool(name, setting, (round) => note(measured, scenario, { ...round, number })).catch(
          tell(name),
        );
      }
    }
    return measured;
  }
  await using stack = new AsyncDisposableStack();
  const opened: Omit<Round, 'number'>[] = [];
  for (const name of setting.tools) {
    const round = await openRound(name, setting, stack);
    if (!scenario.can(round.tool)) continue;
    try {
      await scenario.prepare?.({ ...round, number: -1 });
      opened.push(round);
    } catch (error) {
      tell(name)(error);
    }
  }
  for (let number = 0; number < count; number++) {
    for (const round of opened) {
      await note(measured, { ...scenario, prepare: async () => {} }, { ...round, number }).catch(
        tell(round.tool.name),
      );
    }
  }
  return measured;
}

function tell(tool: string): (error: unknown) => void {
  return (error) => console.error(`${tool}: ${error instanceof Error ? error.message : error}`);
}

async function withTool(
  name: ToolName,
  setting: Setting,
  work: (round: Omit<Round, 'number'>) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  await work(await openRound(name, setting, stack));
}

async function openRound(
  name: ToolName,
  setting: Setting,
  stack: AsyncDisposableStack,
): Promise<Omit<Round, 'number'>> {
  const disk = stack.use(freshDisk(setting.work, `disk-${name}`));
  const tool = stack.use(await openTool(name, { folder: disk.folder, registry: setting.registry }));
  return { tool, folder: disk.folder, contexts: setting.contexts };
}

async function note(measured: Map<string, Measurement[]>, scenario: Scenario, round: Round): Promise<void> {
  await scenario.prepare?.(round);
  await scenario.before?.(round);
  await runCommand({ program: 'sync', args: [], env: process.env });
  const parts: Measurement[] = [];
  for (const command of scenario.timed(round))
    parts.push(await measure(command, round.folder, round.tool.daemons));
  measured.get(round.tool.name)?.push({
    wallSeconds: parts.reduce((sum, part) => sum + part.wallSeconds, 0),
    cpuSeconds: parts.reduce((sum, part) => sum + part.cpuSeconds, 0),
    peakBytes: Math.max(...parts.map((part) => part.peakBytes)),
  });
}
