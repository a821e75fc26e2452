import { OcitsError } from '../../errors.ts';
import { familiarName, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { type Filter, parseFilter } from '../../options/filter.ts';
import { matchesLabel } from '../../options/match-label.ts';
import type { ContainerRecord } from '../record/record.ts';
import type { ContainerState } from '../record/state.ts';

const KEYS = [
  ...['ancestor', 'before', 'exited', 'expose', 'id', 'label', 'name', 'network', 'publish', 'since'],
  ...['status', 'volume'],
] as const;

export type ContainerFilter = Filter<(typeof KEYS)[number]>;

/** Reads a value of `--filter`: `key=value`. Throws `invalid-argument`. */
export function parseContainerFilter(text: string): ContainerFilter {
  return parseFilter(text, KEYS);
}

/** Whether a container passes: one of the values of each key that is given. `others` are all containers there are. */
export function matchesFilters(
  filters: readonly ContainerFilter[],
  record: ContainerRecord,
  state: ContainerState,
  others: readonly ContainerRecord[],
): boolean {
  const keys = new Set(filters.map(({ key }) => key));
  return [...keys].every((key) => {
    const values = filters.filter((filter) => filter.key === key).map(({ value }) => value);
    // Docker's: labels must all be there, of other keys one value is enough.
    const one = (value: string) => matches(key, value, record, state, others);
    return key === 'label' ? values.every(one) : values.some(one);
  });
}

function matches(
  key: ContainerFilter['key'],
  value: string,
  record: ContainerRecord,
  state: ContainerState,
  others: readonly ContainerRecord[],
): boolean {
  switch (key) {
    case 'id':
      return record.id.startsWith(value);
    case 'name':
      return nameMatches(value, record.name);
    case 'status':
      return state.status === value;
    case 'exited':
      return state.status === 'exited' && state.exitCode === Number(value);
    case 'label':
      return matchesLabel(record.labels, value);
    case 'ancestor':
      return imageMatches(value, record);
    case 'network':
      return record.network.endpoints.some(({ network }) => network === value);
    case 'volume':
      return record.mounts.some(
        (mount) => mount.target === value || (mount.kind === 'volume' && mount.name === value),
      );
    case 'publish':
      return record.network.ports.some(({ hostPort, protocol }) => samePort(value, hostPort, protocol));
    case 'expose':
      return record.network.exposed.some((port) => port === value || port === `${value}/tcp`);
    case 'before':
      return record.createdAt < createdAt(value, others);
    case 'since':
      return record.createdAt > createdAt(value, others);
  }
}

/** Docker takes the value for a regular expression; one that is none is taken as it stands. */
function nameMatches(value: string, name: string): boolean {
  if (name.includes(value)) return true;
  try {
    return new RegExp(value).test(name) || new RegExp(value).test(`/${name}`);
  } catch {
    return false;
  }
}

function imageMatches(value: string, { image }: ContainerRecord): boolean {
  const id = value.replace(/^sha256:/, '');
  if (/^[0-9a-f]{4,64}$/.test(id) && image.id.slice('sha256:'.length).startsWith(id)) return true;
  return sameName(value) === sameName(image.name);
}

function sameName(text: string): string {
  try {
    return familiarName(withDefaultTag(parseReference(text)));
  } catch {
    return text;
  }
}

function samePort(value: string, port: number, protocol: string): boolean {
  const [number, wanted = 'tcp'] = value.split('/');
  return Number(number) === port && wanted === protocol;
}

function createdAt(nameOrId: string, others: readonly ContainerRecord[]): string {
  const found = others.find(({ id, name }) => name === nameOrId || id.startsWith(nameOrId));
  if (found !== undefined) return found.createdAt;
  throw new OcitsError('not-found', `No such container: ${nameOrId}`);
}
