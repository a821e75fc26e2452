/**
 * The room of the commands about ocits as a whole: `info`, `version`, `system check`, `df`, `fsck` and `prune`. Only
 * the table of commands loads them. `df` and `prune` ask images, containers, volumes and the build cache alike; no
 * domain folder knows all of these.
 *
 *     $ ocits system df
 *     const usage = await imagesUsage(engine);
 *     const findings = await checkHost();
 */

import { readFileSync } from 'node:fs';
import { cpus, hostname, totalmem } from 'node:os';
import { formatFlag, jsonFlag } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { humanSize } from '../../cli/output/human.ts';
import { fillTemplate } from '../../cli/template/template.ts';
import type { Engine } from '../../engine.ts';
import { programVersion } from '../../version.ts';

export default class SystemInfo extends BaseCommand {
  static override summary = 'Show what ocits has here, where, and what it runs on';
  static override usage = '[OPTIONS]';
  static override flags = { format: formatFlag, json: jsonFlag };

  async run(): Promise<void> {
    const { flags } = await this.read(SystemInfo);
    const { engine } = this;
    const info = { ...(await content(engine)), ...(await host()) };
    if (flags.json || flags.format === 'json') this.printJson(info);
    else if (flags.format !== undefined) this.print(fillTemplate(flags.format, info));
    else
      this.print(
        Object.entries(info)
          .map(([name, value]) => `${words(name)}: ${shown(name, value)}`)
          .join('\n'),
      );
  }
}

async function content(engine: Engine): Promise<Record<string, unknown>> {
  const { readContainers } = await import('../../container/record/catalog.ts');
  const { containerState } = await import('../../container/record/state.ts');
  const { readCatalog } = await import('../../image/catalog/image-catalog.ts');
  const states = (await readContainers(engine.paths)).map(
    ({ id }) => containerState(engine.paths, id).status,
  );
  const running = states.filter((status) => status === 'running').length;
  return {
    Containers: states.length,
    ContainersRunning: running,
    ContainersStopped: states.length - running,
    Images: (await readCatalog(await engine.store())).length,
    ServerVersion: programVersion(),
    Driver: (await engine.snapshotter()).name,
    OcitsRootDir: engine.paths.root,
    OcitsRunDir: engine.paths.run,
  };
}

async function host(): Promise<Record<string, unknown>> {
  const { hostCgroups } = await import('../../runtime/launch/host-cgroups.ts');
  const { findProgram } = await import('../../system/process/programs.ts');
  const { crunVersion } = await import('../../runtime/crun/crun.ts');
  const cgroups = hostCgroups();
  const crun = findProgram('crun');
  return {
    CgroupDriver: cgroups.driver,
    CgroupVersion: String(cgroups.version),
    CgroupLayout: cgroups.layout,
    DefaultRuntime: 'crun',
    RuntimeVersion: crun === undefined ? 'not installed' : await crunVersion(crun),
    KernelVersion: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    OperatingSystem: operatingSystem(),
    OSType: process.platform,
    Architecture: process.arch,
    NCPU: cpus().length,
    MemTotal: totalmem(),
    Name: hostname(),
    NodeVersion: process.versions.node,
  };
}

function operatingSystem(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

/** `ContainersRunning` is for programs; people read `Containers Running`. */
function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2');
}

function shown(name: string, value: unknown): string {
  return name === 'MemTotal' ? humanSize(value as number) : String(value);
}
