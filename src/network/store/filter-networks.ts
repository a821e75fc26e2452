import { booleanOfFilter, invalidValue, parseFilters, untilOfFilters } from '../../options/filters/filter.ts';
import { matchesLabel, matchesLabelFilters } from '../../options/filters/match-label.ts';
import { matchesPattern } from '../../options/filters/match-pattern.ts';
import type { NetworkRecord } from '../network.ts';
import { PREDEFINED } from './predefined.ts';

/** No network has labels yet. */
const LABELS = {};
/** All networks are of this host. */
const SCOPE = 'local';
const TYPES = ['builtin', 'custom'];

/** Whether a network passes. */
export type NetworkFilter = (network: NetworkRecord) => boolean;

/** Reads the values of `network ls --filter`. Throws `invalid-argument`. */
export function parseNetworkFilters(texts: readonly string[]): NetworkFilter {
  const filters = parseFilters(texts, ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);
  const isDangling = booleanOfFilter(filters, 'dangling');
  const types = filters.get('type');
  const wrong = types?.find((value) => !TYPES.includes(value));
  if (wrong !== undefined) throw invalidValue({ key: 'type', value: wrong }, `one of ${TYPES.join(', ')}`);
  return ({ id, name, driver }) => {
    const isBuiltin = PREDEFINED.some((network) => network.name === name);
    return (
      matchesPattern(filters.get('name'), name) &&
      matchesPattern(filters.get('id'), id) &&
      (filters.get('driver')?.includes(driver) ?? true) &&
      (filters.get('scope')?.includes(SCOPE) ?? true) &&
      (filters.get('label')?.every((label) => matchesLabel(LABELS, label)) ?? true) &&
      (types?.includes(isBuiltin ? 'builtin' : 'custom') ?? true) &&
      // A predefined network is never in the way.
      !(isDangling === true && isBuiltin)
    );
  };
}

/**
 * Reads the values of `network prune --filter`: whether bridges may go. They have no labels, and were there before any
 * time. Throws `invalid-argument`.
 */
export function parseNetworkPruneFilters(texts: readonly string[]): boolean {
  const filters = parseFilters(texts, ['label', 'label!', 'until']);
  untilOfFilters(filters);
  return matchesLabelFilters(LABELS, filters);
}
