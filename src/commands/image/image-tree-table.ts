import { humanSize } from '../../cli/output/human.ts';
import { printableLine } from '../../cli/output/printable.ts';
import type { ImageWeight, PlatformTree } from '../../image/catalog/image-trees.ts';
import { type Digest, shortDigest } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { familiarName } from '../../oci/reference.ts';

const HEADER = ['IMAGE', 'ID', 'DISK USAGE', 'CONTENT SIZE', 'EXTRA'] as const;
/** Of all columns but the first, which is as wide as its widest name. */
const WIDTHS = [12, 10, 12, 5];
/** Sizes stand on the right. */
const RIGHT = new Set([2, 3]);
const GAP = '   ';
const UNTAGGED = '<untagged>';
const LEGEND = 'U  In Use';

type Cells = readonly string[];

export interface TreeOptions {
  /** With a line for each platform. */
  readonly isExpanded: boolean;
  /** Says what the letters under EXTRA mean, for people. */
  readonly hasLegend: boolean;
}

/** Images as Docker 29 lists them: a line for each name, or each image with all its names and then its platforms. */
export function imageTreeTable(
  trees: readonly PlatformTree[],
  { isExpanded, hasLegend }: TreeOptions,
): string {
  const blocks = isExpanded
    ? trees.map(expandedLines)
    : trees
        .flatMap(collapsedLines)
        .sort(byName)
        .map((cells) => [cells]);
  const nameWidth = Math.max(...[HEADER, ...blocks.flat()].map(([name = '']) => [...name].length));
  const lines = blocks.map((block) => block.map((cells) => line(cells, nameWidth)).join('\n'));
  const header = line(HEADER, nameWidth);
  const legend = hasLegend ? `${LEGEND.padStart(header.length)}\n` : '';
  // Platforms of one image stand together.
  return `${legend}${[header, lines.join(isExpanded ? '\n\n' : '\n')].filter((part) => part !== '').join('\n')}`;
}

function collapsedLines(tree: PlatformTree): Cells[] {
  return namesOf(tree).map((name) => [name, ...detailCells(tree.id, tree)]);
}

/** What has no name comes last. */
function byName([a = '']: Cells, [b = '']: Cells): number {
  return Number(a === UNTAGGED) - Number(b === UNTAGGED) || (a < b ? -1 : a > b ? 1 : 0);
}

function expandedLines(tree: PlatformTree): Cells[] {
  const names = namesOf(tree);
  const details = detailCells(tree.id, tree);
  return [
    ...names.slice(0, -1).map((name) => [name]),
    [names.at(-1)!, ...details],
    ...tree.branches.map((branch, position) => {
      const mark = position === tree.branches.length - 1 ? '└─' : '├─';
      const platform = branch.platform === undefined ? 'unknown' : formatPlatform(branch.platform);
      return [`${mark} ${printableLine(platform)}`, ...detailCells(branch.id, branch)];
    }),
  ];
}

function namesOf({ tags }: PlatformTree): readonly string[] {
  return tags.length === 0 ? [UNTAGGED] : tags.map(familiarName);
}

function detailCells(id: Digest, { sizeBytes, contentBytes, isUsed }: ImageWeight): Cells {
  return [shortDigest(id), humanSize(sizeBytes), humanSize(contentBytes), isUsed ? 'U' : ''];
}

function line(cells: Cells, nameWidth: number): string {
  const widths = [nameWidth, ...WIDTHS];
  const padded = cells.map((cell, column) => {
    const missing = ' '.repeat(Math.max(widths[column]! - [...cell].length, 0));
    return RIGHT.has(column) ? missing + cell : cell + missing;
  });
  return padded.join(GAP).trimEnd();
}
