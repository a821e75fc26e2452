/**
 * The room of what is shown of containers: `ps`, `inspect`, `logs`, `top`, `export` and their filters. The commands
 * of `inspect` and `library` call it. It gives data in Docker's names and order, prints nothing, and changes nothing
 * of a container.
 *
 *     const filters = parseContainerFilters(['status=running']);
 *     const [newest] = await listContainers(engine, { all: true, filters });
 *     const inspected = await inspectContainer(engine, record);
 */

import type { Engine } from '../../engine.ts';
import { isOcitsError } from '../../errors.ts';
import { hasOwnSandbox } from '../../network/choice.ts';
import type { NetworkEndpoint } from '../../network/network.ts';
import type { PortMapping } from '../../options/ports.ts';
import { readContainers } from '../record/catalog.ts';
import type { ContainerRecord } from '../record/record.ts';
import { type ContainerState, containerState } from '../record/state.ts';
import { type ContainerFilters, parseContainerFilters } from './container-filters.ts';
import { type Ancestor, matchesFilters } from './filter-containers.ts';

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
  /** Also those that do not run; a filter by status lists them anyway. */
  readonly all?: boolean | undefined;
  /** Only the newest ones, whatever they do: how many. */
  readonly last?: number | undefined;
  readonly filters?: ContainerFilters | undefined;
}

/** Containers, the newest first. Throws `not-found` for a container in the filters `before` or `since`. */
export async function listContainers(
  engine: Engine,
  options: ListOptions = {},
): Promise<readonly ContainerSummary[]> {
  const filters = options.filters ?? parseContainerFilters([]);
  const showsAll = options.all === true || options.last !== undefined || filters.values.has('status');
  const records = await readContainers(engine.paths);
  const states = records.map((record) => ({ record, state: containerState(engine.paths, record.id) }));
  const context = { others: records, ancestors: await ancestorsOf(engine, filters) };
  const wanted = states.filter(({ record, state }) => {
    return (showsAll || state.status === 'running') && matchesFilters(filters, record, state, context);
  });
  const newest = options.last === undefined ? wanted : wanted.slice(0, options.last);
  return await Promise.all(
    newest.map(async (each) => {
      const endpoints = await liveEndpoints(engine, each.record, each.state);
      return { ...each, ports: endpoints.flatMap(({ ports }) => ports), addresses: addressesOf(endpoints) };
    }),
  );
}

/** The images that `ancestor` names; one that is not there is no error, and nobody's ancestor. */
async function ancestorsOf(engine: Engine, { values }: ContainerFilters): Promise<readonly Ancestor[]> {
  const names = values.get('ancestor');
  if (names === undefined) return [];
  const { findImage } = await import('../../image/catalog/find-image.ts');
  const store = await engine.store();
  const found = await Promise.all(
    names.map((name) =>
      findImage(store, name).catch((error: unknown) => {
        if (isOcitsError(error, 'invalid-reference', 'invalid-argument')) return undefined;
        throw error;
      }),
    ),
  );
  return found.flatMap((image) =>
    image === undefined ? [] : [{ id: image.id, diffIds: image.config.rootfs.diff_ids }],
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
