import { humanAge, humanDuration, humanSize } from '../../cli/output/human.ts';
import type { ContainerState } from '../../container/record/state.ts';
import type { ContainerSummary } from '../../container/show/list-containers.ts';
import type { PortMapping } from '../../options/ports.ts';

const COMMAND_WIDTH = 20;

export interface RowOptions {
  readonly noTrunc: boolean;
  /** What it has written; undefined: not asked for. */
  readonly sizeBytes: number | undefined;
  readonly now?: Date | undefined;
}

/** What a template of `ps` sees of a container, in Docker's names. */
export function containerRow(
  { record, state, ports }: ContainerSummary,
  { noTrunc, sizeBytes, now = new Date() }: RowOptions,
): Readonly<Record<string, unknown>> {
  const created = new Date(record.createdAt);
  const command = record.process.args.join(' ');
  const mounts = record.mounts.filter((mount) => mount.kind !== 'tmpfs');
  return {
    ID: noTrunc ? record.id : record.id.slice(0, 12),
    Image: imageName(record.image.name, noTrunc),
    Command: JSON.stringify(noTrunc ? command : shorten(command, COMMAND_WIDTH)),
    CreatedAt: created.toISOString(),
    RunningFor: humanAge(created, now),
    Ports: portsText(ports, state.status === 'running' ? record.network.exposed : []),
    State: state.status,
    Status: statusText(state, now),
    Size: sizeBytes === undefined ? '' : humanSize(sizeBytes),
    Names: record.name,
    Labels: Object.entries(record.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    Label: (name: string) => record.labels[name] ?? '',
    Mounts: mounts.map((mount) => (mount.kind === 'volume' ? mount.name : mount.source)).join(','),
    LocalVolumes: String(mounts.filter(({ kind }) => kind === 'volume').length),
    Networks: record.network.endpoints.map(({ network }) => network).join(','),
  };
}

function imageName(name: string, noTrunc: boolean): string {
  return !noTrunc && /^(sha256:)?[0-9a-f]{64}$/.test(name) ? name.replace('sha256:', '').slice(0, 12) : name;
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

/** Docker's `PORTS`: published ones with where they are, neighbours as a range; then those that are only exposed. */
export function portsText(ports: readonly PortMapping[], exposed: readonly string[]): string {
  const published = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  const sorted = [...ports].sort(
    (a, b) =>
      a.hostIp.localeCompare(b.hostIp) ||
      a.protocol.localeCompare(b.protocol) ||
      a.containerPort - b.containerPort,
  );
  const groups: { first: PortMapping; last: PortMapping }[] = [];
  for (const port of sorted) {
    const group = groups.at(-1);
    if (group !== undefined && follows(group.last, port)) group.last = port;
    else groups.push({ first: port, last: port });
  }
  return [
    ...groups.map(({ first, last }) => {
      const host = `${first.hostIp}:${range(first.hostPort, last.hostPort)}`;
      return `${host}->${range(first.containerPort, last.containerPort)}/${first.protocol}`;
    }),
    ...exposed.filter((port) => !published.has(port)),
  ].join(', ');
}

function follows(before: PortMapping, port: PortMapping): boolean {
  return (
    before.hostIp === port.hostIp &&
    before.protocol === port.protocol &&
    before.hostPort + 1 === port.hostPort &&
    before.containerPort + 1 === port.containerPort
  );
}

function range(first: number, last: number): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
