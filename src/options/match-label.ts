/** Whether a filter's value, a label's name or `name=value`, is among the labels. */
export function matchesLabel(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const equals = filter.indexOf('=');
  const name = equals < 0 ? filter : filter.slice(0, equals);
  return Object.hasOwn(labels, name) && (equals < 0 || labels[name] === filter.slice(equals + 1));
}
