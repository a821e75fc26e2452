import { OcitsError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { matchesLabel } from '../../options/filters/match-label.ts';
import { matchesPattern } from '../../options/filters/match-pattern.ts';
import type { ContainerRecord } from '../record/record.ts';
import type { ContainerState } from '../record/state.ts';
import type { ContainerFilters } from './container-filters.ts';

/** An image that `ancestor` names. */
export interface Ancestor {
  readonly id: Digest;
  readonly diffIds: readonly Digest[];
}

/** What the filters of containers are held against besides the container. */
export interface FilterContext {
  /** All containers there are, for `before` and `since`. */
  readonly others: readonly ContainerRecord[];
  readonly ancestors: readonly Ancestor[];
}

type CheckedKey =
  | 'id'
  | 'name'
  | 'status'
  | 'health'
  | 'label'
  | 'ancestor'
  | 'network'
  | 'volume'
  | 'before'
  | 'since';

type Check = (
  values: readonly string[],
  record: ContainerRecord,
  state: ContainerState,
  context: FilterContext,
) => boolean;

/**
 * Whether a container passes all filters. Docker's: the labels must all be there, of the values of each other key one
 * is enough. Throws `not-found` for a container in `before` or `since` that is not there.
 */
export function matchesFilters(
  filters: ContainerFilters,
  record: ContainerRecord,
  state: ContainerState,
  context: FilterContext,
): boolean {
  const { exitCodes, isTask } = filters;
  // Tasks are containers of a swarm, which is nowhere here.
  if (isTask === true) return false;
  if (exitCodes !== undefined && !(state.status === 'exited' && exitCodes.has(state.exitCode))) return false;
  if (!matchesPorts(filters, record)) return false;
  return Object.entries(CHECKS).every(([key, check]) => {
    const values = filters.values.get(key as CheckedKey);
    return values === undefined || check(values, record, state, context);
  });
}

const CHECKS: Readonly<Record<CheckedKey, Check>> = {
  id: (values, { id }) => values.some((value) => value !== '' && id.startsWith(value)),
  name: (values, { name }) => matchesPattern(values, name) || matchesPattern(values, `/${name}`),
  status: (values, _, { status }) => values.includes(status),
  // Nothing checks the health of containers yet.
  health: (values) => values.includes('none'),
  label: (values, { labels }) => values.every((value) => matchesLabel(labels, value)),
  ancestor: (_, { image }, __, { ancestors }) =>
    ancestors.some(({ id, diffIds }) => image.id === id || isBelow(diffIds, image.diffIds)),
  network: (values, { network }) =>
    network.endpoints.some((endpoint) => values.some((value) => value === '' || endpoint.network === value)),
  volume: (values, { mounts }) =>
    mounts.some(
      (mount) =>
        values.includes(mount.target) ||
        (mount.kind !== 'tmpfs' && values.includes(mount.kind === 'volume' ? mount.name : mount.source)),
    ),
  before: (values, { createdAt }, _, { others }) =>
    values.some((value) => createdAt < requireOther(value, others).createdAt),
  since: (values, { createdAt }, _, { others }) =>
    values.some((value) => createdAt > requireOther(value, others).createdAt),
};

/** Ports are those of the container: a published or an exposed one is enough where both are asked for. */
function matchesPorts({ published, exposed }: ContainerFilters, { network }: ContainerRecord): boolean {
  if (published === undefined && exposed === undefined) return true;
  return (
    network.ports.some(
      ({ containerPort, protocol }) => published?.has(`${containerPort}/${protocol}`) === true,
    ) || network.exposed.some((port) => exposed?.has(port) === true)
  );
}

/** Whether an image has all layers of another at its bottom. */
function isBelow(lower: readonly Digest[], stack: readonly Digest[]): boolean {
  return lower.length > 0 && lower.every((diffId, position) => stack[position] === diffId);
}

function requireOther(nameOrId: string, others: readonly ContainerRecord[]): ContainerRecord {
  const name = nameOrId.replace(/^\//, '');
  const found =
    others.find((other) => other.name === name) ??
    (name === '' ? undefined : others.find(({ id }) => id.startsWith(name)));
  if (found !== undefined) return found;
  throw new OcitsError('not-found', `No such container: ${nameOrId}`);
}
