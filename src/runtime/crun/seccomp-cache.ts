import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeSeccomp, RuntimeSpec } from '../../bundle/runtime-spec.ts';
import { isErrno } from '../../errors.ts';
import { digestHex, digestOf } from '../../oci/digest.ts';
import { replaceFileSync } from '../../system/file/atomic-file.ts';
import type { Crun } from './crun.ts';

/** crun's own: the filter as the kernel takes it, in base64; it is used instead of compiling `linux.seccomp`. */
const FILTER_ANNOTATION = 'run.oci.seccomp_bpf_data';
/** struct sock_filter. */
const INSTRUCTION_BYTES = 8;
/** The kernel takes 4096; a kept one has its checksum behind them. */
const INSTRUCTIONS_LIMIT = 4096;
/** sha256. */
const CHECKSUM_BYTES = 32;

/**
 * Compiling a seccomp profile takes crun 15 ms, more than all else in starting a container, and gives the same every
 * time. So the compiled filter is kept, by the profile and by the crun that made it, in a folder that a boot empties.
 */
export interface SeccompFilter {
  /** `config` with the kept filter, if there is one. A crun that does not know it compiles the profile. */
  readonly config: RuntimeSpec;
  /** Keeps the filter of a container that runs, if it is not kept yet. Does nothing where it is gone already. */
  keep(id: string): void;
}

/** `config` as it should be written for this crun. */
export function withSeccompFilter(crun: Crun, config: RuntimeSpec): SeccompFilter {
  const { seccomp } = config.linux;
  if (seccomp === undefined) return { config, keep: () => {} };
  const path = join(crun.root, '..', 'seccomp', filterKey(crun, seccomp));
  const filter = readKept(path);
  if (filter === undefined)
    return { config, keep: (id) => keepFilter(join(crun.root, id, 'seccomp.bpf'), path) };
  const annotations = { ...config.annotations, [FILTER_ANNOTATION]: filter.toString('base64') };
  return { config: { ...config, annotations }, keep: () => {} };
}

function filterKey({ program }: Crun, seccomp: RuntimeSeccomp): string {
  const { ino, size, mtimeMs } = statSync(program);
  return digestHex(digestOf(JSON.stringify([program, ino, size, mtimeMs, seccomp])));
}

function keepFilter(source: string, path: string): void {
  const filter = readFilter(source);
  if (filter !== undefined) replaceFileSync(path, Buffer.concat([filter, checksum(filter)]));
}

/** A kept filter, with its checksum behind it: a damaged one would stop every container's start. */
function readKept(path: string): Buffer | undefined {
  const kept = readFilter(path);
  const end = (kept?.length ?? 0) - CHECKSUM_BYTES;
  if (kept === undefined || end <= 0) return undefined;
  const filter = kept.subarray(0, end);
  return checksum(filter).equals(kept.subarray(end)) ? filter : undefined;
}

function checksum(filter: Buffer): Buffer {
  return createHash('sha256').update(filter).digest();
}

function readFilter(path: string): Buffer | undefined {
  try {
    const filter = readFileSync(path);
    const instructions = filter.length / INSTRUCTION_BYTES;
    return Number.isInteger(instructions) &&
      instructions > 0 &&
      instructions <= INSTRUCTIONS_LIMIT + CHECKSUM_BYTES / INSTRUCTION_BYTES
      ? filter
      : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
