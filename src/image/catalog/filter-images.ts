import { OcitsError } from '../../errors.ts';
import { familiarName, familiarRepository, type Reference } from '../../oci/reference.ts';
import { matchesLabel } from '../../options/match-label.ts';
import { parseTime } from '../../options/time.ts';
import type { StoredImage } from './image-catalog.ts';
import { configTime } from './image-history.ts';

/** What `--filter` of `images` and `image prune` says. Values of one name are alternatives; labels must all fit. */
export interface ImageFilters {
  readonly isDangling?: boolean;
  readonly labels: readonly LabelFilter[];
  /** Patterns as Go's path.Match has them. */
  readonly references: readonly string[];
  /** Names or IDs of images. */
  readonly before: readonly string[];
  readonly since: readonly string[];
  /** Made before this time. */
  readonly until?: Date;
}

interface LabelFilter {
  /** A label's name, or `name=value`. */
  readonly text: string;
  /** Docker's `label!=`: the label must not be there. */
  readonly isNegated: boolean;
}

const NAMES = ['dangling', 'label', 'label!', 'reference', 'before', 'since', 'until'];

/** Reads `name=value` filters. Throws `invalid-argument`. */
export function parseImageFilters(texts: readonly string[], now: Date = new Date()): ImageFilters {
  const values = new Map<string, string[]>();
  for (const text of texts) {
    const [name, value] = splitFilter(text);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const of = (name: string) => values.get(name) ?? [];
  const dangling = of('dangling').at(-1);
  const until = of('until').at(-1);
  return {
    labels: [
      ...of('label').map((text) => ({ text, isNegated: false })),
      ...of('label!').map((text) => ({ text, isNegated: true })),
    ],
    references: of('reference'),
    before: of('before'),
    since: of('since'),
    ...(dangling === undefined ? {} : { isDangling: parseFlag(dangling) }),
    ...(until === undefined ? {} : { until: parseTime(until, '--filter until', now) }),
  };
}

function splitFilter(text: string): [name: string, value: string] {
  const equals = text.indexOf('=');
  if (equals < 0) {
    throw new OcitsError('invalid-argument', `invalid filter ${JSON.stringify(text)}: it is not name=value`);
  }
  const name = text.slice(0, equals).trim().toLowerCase();
  if (!NAMES.includes(name)) {
    throw new OcitsError('invalid-argument', `invalid filter '${name}'`, {
      hint: `there are: ${NAMES.join(', ')}`,
    });
  }
  return [name, text.slice(equals + 1).trim()];
}

function parseFlag(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new OcitsError('invalid-argument', `invalid filter 'dangling=${text}': it is true or false`);
}

/**
 * Reads the filters of `image prune`, where `dangling=false` is another word for all. Throws `invalid-argument`, also
 * for filters that only a list has.
 */
export function parsePruneFilters(
  texts: readonly string[],
  isAll: boolean,
): { readonly isAll: boolean; readonly filters: ImageFilters } {
  const filters = parseImageFilters(texts);
  const foreign = (['references', 'before', 'since'] as const).find((name) => filters[name].length > 0);
  if (foreign !== undefined) {
    throw new OcitsError(
      'invalid-argument',
      `invalid filter: ${foreign.replace(/s$/, '')} does not go with prune`,
    );
  }
  return { isAll: isAll || filters.isDangling === false, filters };
}

/** Whether the labels and the age of an image are what prune was told to remove. */
export function matchesPruneFilters(stored: StoredImage, filters: ImageFilters): boolean {
  return matchesLabels(stored, filters) && matchesUntil(stored, filters);
}

export function matchesLabels({ image }: StoredImage, filters: ImageFilters): boolean {
  const labels = image.config.config?.Labels ?? {};
  return filters.labels.every(({ text, isNegated }) => matchesLabel(labels, text) !== isNegated);
}

export function matchesUntil({ image }: StoredImage, filters: ImageFilters): boolean {
  if (filters.until === undefined) return true;
  const created = configTime(image.config.created);
  return created === undefined || created < filters.until;
}

/** Whether one of the patterns fits the name, with its tag or without. */
export function matchesReference(reference: Reference, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const expression = globExpression(pattern);
    return expression.test(familiarName(reference)) || expression.test(familiarRepository(reference));
  });
}

/** Go's path.Match: `*` and `?` do not cross a slash, `[a-z]` and `[^a-z]` are classes, a backslash quotes. */
function globExpression(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) throw new OcitsError('invalid-argument', `invalid pattern ${JSON.stringify(pattern)}`);
      source += `[${pattern.slice(at + 1, end).replaceAll(/[\\[\]]/g, '\\$&')}]`;
      at = end;
    } else {
      const literal = char === '\\' && at + 1 < pattern.length ? pattern[++at]! : char;
      source += literal.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
    }
  }
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw new OcitsError('invalid-argument', `invalid pattern ${JSON.stringify(pattern)}`, { cause });
  }
}
