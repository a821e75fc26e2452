import { OcitsError } from '../../errors.ts';
import { booleanOfFilter, type Filters, invalidValue, parseFilters } from '../../options/filters/filter.ts';
import { parseInteger } from '../../options/number.ts';
import { parseExposed } from '../../options/ports.ts';

const KEYS = [
  ...['ancestor', 'before', 'exited', 'expose', 'health', 'id', 'is-task', 'isolation', 'label', 'name'],
  ...['network', 'publish', 'since', 'status', 'volume'],
] as const;

type Key = (typeof KEYS)[number];

/** Docker's states. Some of them no container here is ever in. */
const STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTH = ['none', 'starting', 'healthy', 'unhealthy'];

/** What `--filter` of `ps` says, checked. */
export interface ContainerFilters {
  /** By key, as they were given. */
  readonly values: Filters<Key>;
  readonly exitCodes: ReadonlySet<number> | undefined;
  readonly isTask: boolean | undefined;
  /** Ports as Docker writes them, such as `80/tcp`: of these one must be published, or of `exposed` one exposed. */
  readonly published: ReadonlySet<string> | undefined;
  readonly exposed: ReadonlySet<string> | undefined;
}

/** Reads the values of `--filter`: `key=value`. Throws `invalid-argument` for an unknown key and for a value that it cannot have. */
export function parseContainerFilters(texts: readonly string[]): ContainerFilters {
  const values: Filters<Key> = parseFilters(texts, KEYS);
  checkWords(values, 'status', STATES);
  checkWords(values, 'health', HEALTH);
  return {
    values,
    exitCodes: setOf(values, 'exited', (value) => [exitCode(value)]),
    isTask: booleanOfFilter(values, 'is-task'),
    published: setOf(values, 'publish', (value) => portsOf('publish', value)),
    exposed: setOf(values, 'expose', (value) => portsOf('expose', value)),
  };
}

function checkWords(filters: Filters<Key>, key: Key, words: readonly string[]): void {
  const wrong = filters.get(key)?.find((value) => !words.includes(value));
  if (wrong !== undefined) throw invalidValue({ key, value: wrong }, `one of ${words.join(', ')}`);
}

function setOf<T>(
  filters: Filters<Key>,
  key: Key,
  read: (value: string) => readonly T[],
): ReadonlySet<T> | undefined {
  const values = filters.get(key);
  return values === undefined ? undefined : new Set(values.flatMap(read));
}

function exitCode(value: string): number {
  const code = parseInteger(value);
  if (code === undefined) throw invalidValue({ key: 'exited', value }, 'a whole number');
  return code;
}

/** `80`, `80/udp` or `8000-8010/tcp`: ports of the container, not of the host. */
function portsOf(key: Key, value: string): string[] {
  try {
    return parseExposed(value);
  } catch (cause) {
    throw new OcitsError('invalid-argument', `invalid filter ${JSON.stringify(`${key}=${value}`)}`, {
      cause,
      hint: `${key} is a port of the container, such as 80, 53/udp or 8000-8010/tcp`,
    });
  }
}
