import { OcitsError } from '../../errors.ts';
import { familiarName, familiarRepository, type Reference } from '../../oci/reference.ts';
import {
  booleanOfFilter,
  type Filters,
  parseFilters,
  timeOfFilter,
  untilOfFilters,
} from '../../options/filters/filter.ts';
import { matchesLabel } from '../../options/filters/match-label.ts';
import { globExpression } from '../../options/glob-expression.ts';
import type { StoredImage } from './image-catalog.ts';
import { configTime } from './image-history.ts';

/** What `--filter` of `images` and `image prune` says. */
export interface ImageFilters {
  readonly isDangling?: boolean | undefined;
  /** All must fit. */
  readonly labels: readonly LabelFilter[];
  /** Patterns as Go's path.Match has them; one must fit. */
  readonly references: readonly string[];
  /** Names or IDs of images; an image is older than all of these, or younger. */
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

const LIST_KEYS = ['dangling', 'label', 'label!', 'reference', 'before', 'since', 'until'] as const;
const PRUNE_KEYS = ['dangling', 'label', 'label!', 'until'] as const;

type Key = (typeof LIST_KEYS)[number];

/** Reads the values of `images --filter`. Throws `invalid-argument`. */
export function parseImageFilters(texts: readonly string[], now: Date = new Date()): ImageFilters {
  const filters = parseFilters(texts, LIST_KEYS);
  const times = filters.get('until')?.map((value) => timeOfFilter({ key: 'until', value }, now).getTime());
  return imageFilters(filters, times === undefined ? undefined : new Date(Math.min(...times)));
}

function imageFilters(filters: Filters<Key>, until: Date | undefined): ImageFilters {
  const of = (key: Key) => filters.get(key) ?? [];
  const references = of('reference');
  for (const pattern of references) nameExpression(pattern);
  return {
    labels: [
      ...of('label').map((text) => ({ text, isNegated: false })),
      ...of('label!').map((text) => ({ text, isNegated: true })),
    ],
    references,
    before: of('before'),
    since: of('since'),
    isDangling: booleanOfFilter(filters, 'dangling'),
    until,
  };
}

/**
 * Reads the filters of `image prune`, where `dangling=false` is another word for all. Throws `invalid-argument`, also
 * for filters that only a list has.
 */
export function parsePruneFilters(
  texts: readonly string[],
  isAll: boolean,
  now: Date = new Date(),
): { readonly isAll: boolean; readonly filters: ImageFilters } {
  const given = parseFilters(texts, PRUNE_KEYS);
  const filters = imageFilters(given, untilOfFilters(given, now));
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
