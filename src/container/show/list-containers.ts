import type { PortMapping } from '../../options/ports.ts';
import type { ContainerHost } from '../container-host.ts';
import { readContainers } from '../record/catalog.ts';
import type { ContainerRecord } from '../record/record.ts';
import { type ContainerState, containerState } from '../record/state.ts';
import { type ContainerFilter, matchesFilters } from './filter-containers.ts';

/** A container as `ps` shows it. */
export interface ContainerSummary {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
  /** Published ones, while it runs. */
  readonly ports: readonly PortMapping[];
}

export interface ListOptions {
  /** Also those that do not run; a filter by status or exit code lists them anyway. */
  readonly all?: boolean;
  /** Only the newest ones, whatever they do: how many. */
  readonly last?: number | undefined;
  readonly filters?: readonly ContainerFilter[];
}

/** Containers, the newest first. */
export async function listContainers(
  host: ContainerHost,
  options: ListOptions = {},
): Promise<readonly ContainerSummary[]> {
  const filters = options.filters ?? [];
  const namesState = filters.some(({ key }) => key === 'status' || key === 'exited');
  const showsAll = options.all === true || options.last !== undefined || namesState;
  const records = await readContainers(host.paths);
  const states = records.map((record) => ({ record, state: containerState(host.paths, record.id) }));
  const wanted = states.filter(({ record, state }) => {
    return (showsAll || state.status === 'running') && matchesFilters(filters, record, state, records);
  });
  const newest = options.last === undefined ? wanted : wanted.slice(0, options.last);
  return await Promise.all(
    newest.map(async (each) => ({ ...each, ports: await publishedPorts(host, each.record, each.state) })),
  );
}

/** The ports that a running container has on the host, those that the system chose included. */
export async function publishedPorts(
  host: ContainerHost,
  { id, network }: ContainerRecord,
  { status }: ContainerState,
): Promise<readonly PortMapping[]> {
  if (status !== 'running' || network.mode !== 'bridge' || network.ports.length === 0) return [];
  return (await (await host.network()).find(id))?.ports ?? [];
}
