import { splitPair } from './pair.ts';

/** Whether a filter's value, a label's name or `name=value`, is among the labels. */
export function matchesLabel(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const [name, value] = splitPair(filter);
  return Object.hasOwn(labels, name) && (value === undefined || labels[name] === value);
}
