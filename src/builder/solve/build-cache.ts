import type { Stats } from 'node:fs';
import { rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestHex, parseDigest } from '../../oci/digest.ts';
import type { LiveContent } from '../../store/content-roots.ts';
import { replaceFile } from '../../system/file/atomic-file.ts';
import { namesIfThere, textIfThere } from '../../system/file/if-there.ts';
import { partialFolder } from '../../system/paths.ts';
import type { PartDigests } from './step-key.ts';

/**
 * The result of a step when it was last done. Its key stands for all that it was done with. It has no path of this
 * machine.
 */
export interface StepRecord {
  readonly key: Digest;
  /** RFC 3339: when the step was done, which the history of images shows. */
  readonly createdAt: string;
  /** What a user wrote, for listings. */
  readonly label: string;
  readonly platform: string;
  /** The chainIDs of the trees that it worked on; none for a step on an empty tree. */
  readonly inputs: readonly Digest[];
  /** The whole stack after the step, lowest first. */
  readonly diffIds: readonly Digest[];
  /** The layer that the step added, uncompressed. */
  readonly layer: { readonly diffId: Digest; readonly sizeBytes: number };
}

/** A record, and what a listing shows of it. */
interface CacheEntry {
  readonly record: StepRecord;
  readonly lastUsedAt: Date;
}

/** Part digests of a Dockerfile's steps when it was last built, by the step's place in it. */
type ProjectParts = Readonly<Record<string, PartDigests>>;

/**
 * The build cache under `$OCITS_ROOT/build-cache`: only builds write it, so nothing that was pulled can pass for a
 * step's result. Files appear whole; they are not fsynced, and one that a crash has damaged is a miss.
 */
export interface BuildCache {
  /** Undefined where there is no record. Marks the record as used. */
  get(key: Digest): Promise<StepRecord | undefined>;
  /** The layers named must be in the store. */
  put(record: StepRecord): Promise<void>;
  delete(key: Digest): Promise<void>;
  list(): AsyncIterable<CacheEntry>;
  projectParts(project: Digest): Promise<ProjectParts>;
  putProjectParts(project: Digest, parts: ProjectParts): Promise<void>;
}

const VERSION = 1;

/** `root` is `$OCITS_ROOT`; folders are made as needed. */
export function openBuildCache(root: string): BuildCache {
  const steps = join(root, 'build-cache', 'steps');
  const projects = join(root, 'build-cache', 'projects');
  const stepPath = (key: Digest) => join(steps, `${digestHex(key)}.json`);
  const projectPath = (project: Digest) => join(projects, `${digestHex(project)}.json`);
  const write = (path: string, content: object) =>
    replaceFile(path, JSON.stringify({ version: VERSION, ...content }), partialFolder(root));
  return {
    async get(key) {
      const record = await readRecord(stepPath(key));
      if (record === undefined || record.key !== key) return undefined;
      const now = new Date();
      await utimes(stepPath(key), now, now).catch(() => {});
      return record;
    },
    put: (record) => write(stepPath(record.key), record),
    delete: (key) => rm(stepPath(key), { force: true }),
    async *list() {
      for (const name of await namesIfThere(steps)) {
        if (!name.endsWith('.json')) continue;
        const [record, info] = await Promise.all([
          readRecord(join(steps, name)),
          statIfThere(join(steps, name)),
        ]);
        if (record !== undefined && info !== undefined) yield { record, lastUsedAt: info.mtime };
      }
    },
    async projectParts(project) {
      const value = await readJson(projectPath(project));
      return value?.['version'] === VERSION ? (value['steps'] as ProjectParts) : {};
    },
    putProjectParts: (project, parts) => write(projectPath(project), { steps: parts }),
  };
}

/**
 * What the cache needs of the store, for the garbage collector: the layers that steps have made. What lay below them
 * comes again with the base image that a build asks for.
 */
export async function buildCacheContent(cache: BuildCache): Promise<LiveContent[]> {
  const content: LiveContent[] = [];
  for await (const { record } of cache.list()) {
    content.push({ stacks: [[record.layer.diffId]] });
  }
  return content;
}

async function readRecord(path: string): Promise<StepRecord | undefined> {
  const value = await readJson(path);
  if (value?.['version'] !== VERSION) return undefined;
  try {
    const { version: _version, ...record } = value as unknown as StepRecord & { version: number };
    parseDigest(record.key);
    parseDigest(record.layer.diffId);
    for (const diffId of record.diffIds) parseDigest(diffId);
    return record;
  } catch {
    return undefined;
  }
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = JSON.parse((await textIfThere(path)) ?? 'null');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  return await stat(path).catch(() => undefined);
}
