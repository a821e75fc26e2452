import { type Digest, digestHex, digestOf } from '../../oci/digest.ts';

/**
 * All that decides what a step gives, by name: the operation, what it works on, and the environment it sees. A part that
 * is undefined is not there.
 */
export type KeyParts = Readonly<Record<string, string | readonly string[] | undefined>>;

/** For each part a short digest of its value: enough to tell which part of two keys differs, and no secret. */
export type PartDigests = Readonly<Record<string, string>>;

const KEY_VERSION = 'ocits-step-1';
const PART_DIGITS = 16;

/** The cache key of a step: equal for equal parts, whatever their order. */
export function stepKey(parts: KeyParts): Digest {
  const sorted = Object.keys(parts)
    .filter((name) => parts[name] !== undefined)
    .toSorted()
    .map((name) => [name, parts[name]]);
  return digestOf(JSON.stringify([KEY_VERSION, sorted]));
}

export function partDigests(parts: KeyParts): PartDigests {
  const there = Object.entries(parts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    there.map(([name, value]) => [name, digestHex(digestOf(JSON.stringify(value))).slice(0, PART_DIGITS)]),
  );
}

/** The name of the part that says what tree a step works on. */
export const BELOW = 'below';

/**
 * Why a key was not found, in words: its parts are compared with those of the nearest earlier key. Undefined where only
 * what lies below differs, since the step below has said why.
 */
export function explainMiss(now: PartDigests, before: PartDigests): string | undefined {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])].toSorted();
  const changed = names.filter((name) => now[name] !== before[name]);
  const own = changed.filter((name) => name !== BELOW);
  if (changed.length === 0) return 'its cache entry is gone';
  if (own.length === 0) return undefined;
  return `changed: ${own.join(', ')}`;
}
