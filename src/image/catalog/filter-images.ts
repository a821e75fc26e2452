import { OcitsError } from '../../errors.ts';
import { familiarName, familiarRepository, type Reference } from '../../oci/reference.ts';
import { parseBoolean } from '../../options/boolean.ts';
import { parseFilter, timeOfFilter } from '../../options/filter.ts';
import { globExpression } from '../../options/glob-expression.ts';
import { matchesLabel } from '../../options/match-label.ts';
import type { StoredImage } from './image-catalog.ts';
import { configTime } from './image-history.ts';

/** What `--filter` of `images` and `image prune` says. Values of one name are alternatives; labels must all fit. */
export interface ImageFilters {
  readonly isDangling?: boolean | undefined;
  readonly labels: readonly LabelFilter[];
  /** Patterns as Go's path.Match has them. */
  readonly references: readonly string[];
  /** Names or IDs of images. */
  readonly before: readonly string[];
  readonly since: readonly string[];
  /** Made before this time. */
  readonly until?: Date | undefined;
}

interface LabelFilter {
  /** A label's name, or `name=value`. */
  readonly text: string;
  /** Docker's `label!=`: the label must not be there. */
  readonly isNegated: boolean;
}

const KEYS = ['dangling', 'label', 'label!', 'reference', 'before', 'since', 'until'] as const;

/** Reads `name=value` filters. Throws `invalid-argument`. */
export function parseImageFilters(texts: readonly string[], now: Date = new Date()): ImageFilters {
  const given = texts.map((text) => parseFilter(text, KEYS));
  const of = (name: (typeof KEYS)[number]) =>
    given.filter(({ key }) => key === name).map(({ value }) => value);
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
    isDangling: dangling === undefined ? undefined : parseDangling(dangling),
    until: until === undefined ? undefined : timeOfFilter({ key: 'until', value: until }, now),
  };
}

function parseDangling(text: string): boolean {
  const value = parseBoolean(text);
  if (value !== undefined) return value;
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
    const expression = nameExpression(pattern);
    return expression.test(familiarName(reference)) || expression.test(familiarRepository(reference));
  });
}

function nameExpression(pattern: string): RegExp {
  try {
    return globExpression(pattern);
  } catch (cause) {
    throw new OcitsError('invalid-argument', `invalid pattern ${JSON.stringify(pattern)}`, { cause });
  }
}
