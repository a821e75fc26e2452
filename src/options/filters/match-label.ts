import { splitPair } from '../pair.ts';

/** Whether a filter's value, a label's name or `name=value`, is among the labels. */
export function matchesLabel(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const [name, value] = splitPair(filter);
  return Object.hasOwn(labels, name) && (value === undefined || labels[name] === value);
}

/**
 * Whether labels pass the filters `label`, of which all must be there, and `label!`, of which not all may be there:
 * that is how Docker's prune commands read them.
 */
export function matchesLabelFilters(
  labels: Readonly<Record<string, string>>,
  filters: { get(key: 'label' | 'label!'): readonly string[] | undefined },
): boolean {
  const has = (filter: string) => matchesLabel(labels, filter);
  const forbidden = filters.get('label!');
  return (filters.get('label') ?? []).every(has) && (forbidden === undefined || !forbidden.every(has));
}
