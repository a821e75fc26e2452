import { formatFlag, jsonFlag } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { shapeValue } from '../../cli/shapes/shape.ts';
import { VERSION } from '../../cli/shapes/version-shape.ts';
import { fillTemplate } from '../../cli/template/template.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { programVersion } from '../../version.ts';
import { kernelVersion, runtimeVersion } from './host-info.ts';

export default class Version extends BaseCommand {
  static override summary = 'Show the version of ocits and of Node';
  static override usage = '[OPTIONS]';
  static override flags = { format: formatFlag, json: jsonFlag };

  async run(): Promise<void> {
    const { flags } = await this.read(Version);
    const { format } = flags;
    const version = shapeValue(VERSION, await versionData());
    if (flags.json) this.printJson(version);
    else if (format === 'json') this.print(JSON.stringify(version));
    else this.print(fillTemplate(format === undefined || format === '' ? TEXT : format, version));
  }
}

const TEXT = `Client:
 Version:           {{.Client.Version}}
 Node version:      {{.Client.NodeVersion}}
 OS/Arch:           {{.Client.Os}}/{{.Client.Arch}}
 Context:           {{.Client.Context}}

Server:{{range .Server.Components}}
 {{.Name}}:
  Version:          {{.Version}}{{range $key, $value := .Details}}
  {{printf "%-17s" (printf "%s:" $key)}} {{$value}}{{end}}{{end}}`;

/** Docker's two sides, which are one program here: there is no server, and so no version of an API. */
async function versionData(): Promise<object> {
  const { os, architecture } = hostPlatform();
  const Version = programVersion();
  const common = { Version, Os: os, Arch: architecture };
  const kernel = kernelVersion();
  return {
    Client: { ...common, Context: 'default', NodeVersion: process.versions.node },
    Server: {
      Platform: { Name: 'ocits' },
      ...common,
      KernelVersion: kernel,
      Components: [
        {
          Name: 'Engine',
          Version,
          Details: { Arch: architecture, KernelVersion: kernel, NodeVersion: process.versions.node, Os: os },
        },
        { Name: 'crun', Version: await runtimeVersion(), Details: {} },
      ],
    },
  };
}
