import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandLine } from './command-line.ts';
import { processesOf } from './processes.ts';

/** All that a command of ocits may leave behind on a host, for a store with a bridge of its own (`OCITS_BRIDGE`). */
export class Remains {
  readonly #ocits: CommandLine;
  /** Containers and RUN steps that were ever seen: their cgroups must go, too. */
  readonly #ids = new Set<string>();

  constructor(ocits: CommandLine) {
    this.#ocits = ocits;
  }

  /** One line each; empty where nothing is left. `partial`: a stopped download may be resumed, and is no fault. */
  list(options: { readonly partial?: boolean } = {}): readonly string[] {
    const folders = FOLDERS.filter((name) => name !== 'root/partial' || options.partial !== true);
    const files = folders.flatMap((name) => this.#below(name));
    for (const id of this.#below('run/crun').concat(this.#below('root/containers'))) {
      this.#ids.add(id.slice(id.lastIndexOf('/') + 1));
    }
    return [
      ...files,
      ...this.#temporary(),
      ...this.#mounts(),
      ...this.#processes(),
      ...this.#cgroups(),
      ...this.#network(),
    ];
  }

  #below(name: string): string[] {
    const folder = join(this.#ocits.folder, name);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.filter((each) => !KEPT.has(each)).map((each) => `${name}/${each}`);
  }

  #temporary(): string[] {
    return globSync('**/.tmp-*', { cwd: this.#ocits.folder, exclude: ['registry/**'] });
  }

  #mounts(): string[] {
    return readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.#ocits.folder));
  }

  #processes(): string[] {
    return processesOf(this.#ocits.folder)
      .filter(({ line }) => !line.includes('docker-registry'))
      .map(({ pid, line }) => `${pid} ${line}`);
  }

  #cgroups(): string[] {
    const places = ['*/ocits', 'ocits', 'system.slice'].flatMap((place) =>
      globSync(`/sys/fs/cgroup/${place}`),
    );
    return places.flatMap((place) =>
      [...this.#ids]
        .map((id) => (place.endsWith('.slice') ? join(place, `ocits-${id}.scope`) : join(place, id)))
        .filter((path) => existsSync(path)),
    );
  }

  #network(): string[] {
    const bridge = this.#ocits.env['OCITS_BRIDGE']!;
    const attachments = globSync('/run/ocits-network/attachments/*.json').filter((path) =>
      readFileSync(path, 'utf8').includes(this.#ocits.folder),
    );
    const rules = execFileSync('iptables', ['-t', 'nat', '-S'], {
      encoding: 'utf8',
      // Where other programs use the older tables, it says so each time.
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .split('\n')
      .filter((line) => line.startsWith('-A') && line.includes(bridge) && line.includes('--to-destination'));
    return [...attachments, ...rules, ...globSync(`/sys/class/net/${bridge}/brif/*`)];
  }
}

const FOLDERS = [
  ...['root/partial', 'root/builds', 'root/containers', 'root/containers/by-name', 'root/volumes'],
  ...['root/snapshots/overlay/staging', 'root/snapshots/overlay/trash'],
  ...['run/crun', 'run/live', 'run/s', 'run/builds'],
];
const KEPT: ReadonlySet<string> = new Set(['by-name', 'complete']);
