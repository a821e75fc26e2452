import { corruptEntry, hostileEntry } from '../byte-path.ts';
import type { DataRun } from '../layer-change.ts';
import { type LayerLimits, MAX_SPARSE_MAP_BYTES } from '../layer-limits.ts';
import { hasData, type TarEntry } from './entry.ts';
import { BLOCK_BYTES, readNumber } from './header.ts';
import type { Prelude } from './prelude.ts';
import {
  checkRuns,
  readGnuRuns,
  readPaxSparse,
  type SparseMapParser,
  sparseMapParser,
} from './sparse-map.ts';

/** A sparse file whose map goes on in the blocks after its header. */
export interface SparseGathering {
  /** Takes the next block; gives the entry once its map is complete. */
  push(block: Buffer): TarEntry | undefined;
}

/**
 * Reads what `block` (the entry's header) or the pax header before it says of holes: the entry with its runs, or what
 * gathers them; undefined where the file is not sparse. Throws `corrupt` and `hostile`.
 */
export function startSparse(
  entry: TarEntry,
  block: Buffer,
  { pax }: Prelude,
  limits: LayerLimits,
): TarEntry | SparseGathering | undefined {
  if (entry.header.type === 'S') {
    const sized = { ...entry, sizeBytes: readNumber(block, 483, 12) };
    const { runs, more } = readGnuRuns(block, 'header');
    return more ? gatherExtensions(sized, runs, limits) : withRuns(sized, runs, limits);
  }
  const found = pax === undefined ? undefined : readPaxSparse(pax);
  if (found === undefined) return undefined;
  const named = { ...entry, name: found.name ?? entry.name, sizeBytes: found.sizeBytes ?? entry.sizeBytes };
  if (!hasData(entry.header.type)) throw corruptEntry(named.name, 'is sparse but no file');
  return found.runs === 'in-data' ? gatherMap(named, limits) : withRuns(named, found.runs, limits);
}

function gatherExtensions(entry: TarEntry, first: readonly DataRun[], limits: LayerLimits): SparseGathering {
  const runs = [...first];
  let mapBytes = 0;
  return {
    push(block) {
      mapBytes = countMap(entry, mapBytes);
      const extension = readGnuRuns(block, 'extension');
      runs.push(...extension.runs);
      if (extension.more) return undefined;
      return withRuns({ ...entry, dataOffset: entry.dataOffset + mapBytes }, runs, limits);
    },
  };
}

/** A 1.0 map is part of the entry's data. */
function gatherMap(entry: TarEntry, limits: LayerLimits): SparseGathering {
  const parser: SparseMapParser = sparseMapParser();
  let mapBytes = 0;
  return {
    push(block) {
      mapBytes = countMap(entry, mapBytes);
      if (mapBytes > entry.storedBytes) throw corruptEntry(entry.name, 'has a sparse map without an end');
      const runs = parser.push(block);
      if (typeof runs === 'string') throw corruptEntry(entry.name, runs);
      if (runs === undefined) return undefined;
      const { dataOffset, storedBytes } = entry;
      const data = { dataOffset: dataOffset + mapBytes, storedBytes: storedBytes - mapBytes };
      return withRuns({ ...entry, ...data }, runs, limits);
    },
  };
}

function countMap(entry: TarEntry, mapBytes: number): number {
  if (mapBytes >= MAX_SPARSE_MAP_BYTES) throw hostileEntry(entry.name, 'has a sparse map over 1 MiB');
  return mapBytes + BLOCK_BYTES;
}

function withRuns(entry: TarEntry, runs: readonly DataRun[], limits: LayerLimits): TarEntry {
  const { name, sizeBytes, storedBytes } = entry;
  if (Number.isNaN(sizeBytes)) throw corruptEntry(name, 'has a size that is no number');
  if (sizeBytes < 0 || sizeBytes > limits.maxBytes) throw hostileEntry(name, `has the size ${sizeBytes}`);
  const checked = checkRuns(runs, sizeBytes, storedBytes);
  if (typeof checked === 'string') throw hostileEntry(name, checked);
  return { ...entry, sparse: checked };
}
