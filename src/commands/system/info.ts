/**
 * The room of the commands about ocits as a whole: `info`, `version`, `system check`, `df`, `fsck` and `prune`. Only
 * the table of commands loads them. `df` and `prune` ask images, containers, volumes and the build cache alike; no
 * domain folder knows all of these.
 *
 *     $ ocits system df
 *     const usage = await imagesUsage(engine, call);
 *     const findings = await checkHost();
 */

import { formatFlag, jsonFlag } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { INFO } from '../../cli/shapes/info-shape.ts';
import { shapeValue } from '../../cli/shapes/shape.ts';
import { fillTemplate } from '../../cli/template/template.ts';
import type { Engine } from '../../engine.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { programVersion } from '../../version.ts';
import { hostInfo } from './host-info.ts';
import { infoText } from './info-text.ts';

export default class SystemInfo extends BaseCommand {
  static override summary = 'Show what ocits has here, where, and what it runs on';
  static override usage = '[OPTIONS]';
  static override flags = { format: formatFlag, json: jsonFlag };

  async run(): Promise<void> {
    const { flags } = await this.read(SystemInfo);
    const { format } = flags;
    const data = { ...ALWAYS, ...(await content(this.engine)), ...(await hostInfo(this.engine.access)) };
    const info = shapeValue(INFO, data);
    if (flags.json) this.printJson(info);
    else if (format === 'json') this.print(JSON.stringify(info));
    else if (format !== undefined && format !== '') this.print(fillTemplate(format, info));
    else this.print(infoText(data));
  }
}

/** What is so wherever ocits is, by Docker's names. */
const ALWAYS: Readonly<Record<string, unknown>> = {
  IndexServerAddress: 'https://index.docker.io/v1/',
  Swarm: { LocalNodeState: 'inactive' },
  Labels: [],
};

async function content(engine: Engine): Promise<Readonly<Record<string, unknown>>> {
  const { readContainers } = await import('../../container/record/catalog.ts');
  const { containerState } = await import('../../container/record/state.ts');
  const { readCatalog } = await import('../../image/catalog/image-catalog.ts');
  const { openNetworkStore } = await import('../../network/store/network-store.ts');
  const drivers = (await openNetworkStore().list()).map(({ driver }) => driver);
  const states = (await readContainers(engine.paths)).map(
    ({ id }) => containerState(engine.paths, id).status,
  );
  const running = states.filter((status) => status === 'running').length;
  const { os, architecture } = hostPlatform();
  return {
    Containers: states.length,
    ContainersRunning: running,
    ContainersStopped: states.length - running,
    Images: (await readCatalog(await engine.store())).length,
    Plugins: { Volume: ['local'], Network: [...new Set(drivers)], Log: ['k8s-file'] },
    ServerVersion: programVersion(),
    Driver: (await engine.snapshotter()).name,
    DockerRootDir: engine.paths.root,
    ClientInfo: { Version: programVersion(), Os: os, Arch: architecture, Context: 'default' },
    OcitsRootDir: engine.paths.root,
    OcitsRunDir: engine.paths.run,
  };
}
