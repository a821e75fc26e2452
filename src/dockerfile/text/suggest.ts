/** The one of `options` that `wrong` was most likely meant to be, or undefined where none is near. Case does not count. */
export function suggest(wrong: string, options: Iterable<string>): string | undefined {
  const text = wrong.toLowerCase();
  if (text === '' || text.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(text.length / 2) + 1);
  for (const option of options) {
    const distance = editDistance(text, option.toLowerCase());
    if (distance < bestDistance) {
      best = option;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean …?`, for a hint; undefined where nothing is near. */
export function didYouMean(wrong: string, options: Iterable<string>, prefix = ''): string | undefined {
  const near = suggest(wrong, options);
  return near === undefined ? undefined : `did you mean ${prefix}${near}?`;
}

/** Damerau's distance: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, beforeLast[j - 2]! + 1);
      }
      row.push(value);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
