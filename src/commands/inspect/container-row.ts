import { humanAge, humanDuration, humanSize, labelsText } from '../../cli/output/human.ts';
import { goTimeText } from '../../cli/output/local-time.ts';
import { GoShown } from '../../cli/shapes/go-value.ts';
import type { ContainerSize } from '../../container/record/size.ts';
import type { ContainerState } from '../../container/record/state.ts';
import type { ContainerSummary } from '../../container/show/list-containers.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { portsText } from './ports-text.ts';

const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

/** What stands above the fields of `ps`, by Docker's names. */
export const CONTAINER_HEADERS = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Names: 'NAMES',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
  HealthStatus: 'HEALTH STATUS',
  IPAddresses: 'IP ADDRESSES',
};

export interface RowOptions {
  readonly noTrunc: boolean;
  /** Undefined: not asked for. */
  readonly size: ContainerSize | undefined;
  readonly now?: Date | undefined;
}

/** What a template of `ps` sees of a container, in Docker's names. */
export function containerRow(
  { record, state, ports, addresses }: ContainerSummary,
  { noTrunc, size, now = new Date() }: RowOptions,
): Readonly<Record<string, unknown>> {
  const created = new Date(record.createdAt);
  const command = commandText(record.process.args);
  const short = (text: string, width: number) => (noTrunc ? text : shorten(text, width));
  const { platform } = record.image.manifest;
  const mounts = record.mounts.filter((mount) => mount.kind !== 'tmpfs');
  return {
    ID: noTrunc ? record.id : record.id.slice(0, 12),
    Image: imageName(record.image.name, noTrunc),
    Command: JSON.stringify(short(command, COMMAND_WIDTH)),
    CreatedAt: goTimeText(created),
    RunningFor: humanAge(created, now),
    Ports: portsText(ports, state.status === 'running' ? record.network.exposed : []),
    State: state.status,
    Status: statusText(state, now),
    Size: sizeText(size),
    Names: record.name,
    Labels: labelsText(record.labels),
    Label: (name: string) => record.labels[name] ?? '',
    Mounts: mounts
      .map((mount) => short(mount.kind === 'volume' ? mount.name : mount.source, MOUNT_WIDTH))
      .join(','),
    LocalVolumes: String(mounts.filter(({ kind }) => kind === 'volume').length),
    Networks: record.network.endpoints.map(({ network }) => network).join(','),
    Platform: platform === undefined ? null : new GoShown(formatPlatform(platform), platform),
    // Nothing checks the health of containers yet.
    HealthStatus: '',
    IPAddresses: addresses.map(({ network, address }) => {
      return new GoShown(`${network}/${address}`, { Network: network, IP: address });
    }),
  };
}

/** Docker's way to show a command: arguments with blanks in quotes. */
function commandText([program = '', ...args]: readonly string[]): string {
  return [program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** Docker's `SIZE`: what it has written, and all that it sees. */
function sizeText(size: ContainerSize | undefined): string {
  if (size === undefined) return '0B';
  const virtual = size.totalBytes > 0 ? ` (virtual ${humanSize(size.totalBytes)})` : '';
  return `${humanSize(size.writtenBytes)}${virtual}`;
}

/** Shortened, Docker leaves out the digest behind a name, and has an ID as it lists IDs. */
function imageName(name: string, noTrunc: boolean): string {
  if (noTrunc) return name;
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return name.replace('sha256:', '').slice(0, 12);
  return name.replace(/@sha\d+:[0-9a-f]+$/, '');
}

/** Docker's `STATUS`: `Up 3 seconds`, `Exited (0) 2 minutes ago`, `Created`. */
export function statusText(state: ContainerState, now: Date): string {
  if (state.status === 'created') return 'Created';
  if (state.status === 'running') {
    return `Up ${humanDuration(Math.max(now.getTime() - (state.startedAt?.getTime() ?? now.getTime()), 0))}`;
  }
  const when = state.finishedAt === undefined ? '' : ` ${humanAge(state.finishedAt, now)}`;
  return `Exited (${state.exitCode})${when}`;
}

function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
