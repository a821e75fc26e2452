/**
 * The room of what is shown of containers: `ps`, `inspect`, `logs`, `top`, `export` and their filters. The commands
 * of `inspect` and `library` call it. It gives data in Docker's names and order, prints nothing, and changes nothing
 * of a container.
 *
 *     const filters = [parseContainerFilter('status=running')];
 *     const [newest] = await listContainers(engine, { all: true, filters });
 *     const inspected = await inspectContainer(engine, record);
 */

import type { Engine } from '../../engine.ts';
import { hasOwnSandbox } from '../../network/choice.ts';
import type { NetworkEndpoint } from '../../network/network.ts';
import type { PortMapping } from '../../options/ports.ts';
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
  /** Where it is on its networks, while it runs. */
  readonly addresses: readonly { readonly network: string; readonly address: string }[];
}

export interface ListOptions {
  /** Also those that do not run; a filter by status or exit code lists them anyway. */
  readonly all?: boolean | undefined;
  /** Only the newest ones, whatever they do: how many. */
  readonly last?: number | undefined;
  readonly filters?: readonly ContainerFilter[] | undefined;
}

/** Containers, the newest first. */
export async function listContainers(
  engine: Engine,
  options: ListOptions = {},
): Promise<readonly ContainerSummary[]> {
  const filters = options.filters ?? [];
  const namesState = filters.some(({ key }) => key === 'status' || key === 'exited');
  const showsAll = options.all === true || options.last !== undefined || namesState;
  const records = await readContainers(engine.paths);
  const states = records.map((record) => ({ record, state: containerState(engine.paths, record.id) }));
  const wanted = states.filter(({ record, state }) => {
    return (showsAll || state.status === 'running') && matchesFilters(filters, record, state, records);
  });
  const newest = options.last === undefined ? wanted : wanted.slice(0, options.last);
  return await Promise.all(
    newest.map(async (each) => {
      const endpoints = await liveEndpoints(engine, each.record, each.state);
      return { ...each, ports: endpoints.flatMap(({ ports }) => ports), addresses: addressesOf(endpoints) };
    }),
  );
}

/** The ports that a running container has on the host, those that the system chose included. */
export async function publishedPorts(
  engine: Engine,
  record: ContainerRecord,
  state: ContainerState,
): Promise<readonly PortMapping[]> {
  return (await liveEndpoints(engine, record, state)).flatMap(({ ports }) => ports);
}

async function liveEndpoints(
  engine: Engine,
  { id, network }: ContainerRecord,
  { status }: ContainerState,
): Promise<readonly NetworkEndpoint[]> {
  if (status !== 'running' || !hasOwnSandbox(network)) return [];
  return (await (await engine.network()).find(id))?.endpoints ?? [];
}

function addressesOf(endpoints: readonly NetworkEndpoint[]): ContainerSummary['addresses'] {
  return endpoints.flatMap(({ network, addresses }) =>
    addresses.map((address) => ({ network, address: address.split('/')[0]! })),
  );
}
