import { createHash } from 'node:crypto';
import type { BytePath } from '../../layer/layer-change.ts';
import { type Digest, finishDigest } from '../../oci/digest.ts';
import type { SourceEntry } from '../source/copy-source.ts';
import type { CopySelection, SelectedPath, SelectedSource } from './select.ts';

const VERSION = 'ocits-copy-1';

/**
 * What a COPY or ADD takes, as one digest: paths, types, modes, owners, link targets, bytes and which names are of one
 * file, never times. The same selection gives the same digest on any machine. Files are read, save those of a context
 * that are known from before.
 */
export async function copyDigest({ sources }: CopySelection, signal?: AbortSignal): Promise<Digest> {
  const hash = createHash('sha256').update(`${VERSION}\0`);
  for (const source of sources) hash.update(await describe(source, signal), 'latin1');
  return finishDigest('sha256', hash);
}

async function describe(selected: SelectedSource, signal?: AbortSignal): Promise<string> {
  switch (selected.kind) {
    case 'content': {
      const bytes = createHash('sha256').update(selected.content).digest('hex');
      return record('content', selected.name, bytes);
    }
    case 'remote':
      return record('remote', selected.name, selected.file.digest, String(selected.unpacks));
    case 'path':
      return await describePath(selected, signal);
  }
}

/** The named source, then all below it, each with its path from there. */
async function describePath(selected: SelectedPath, signal?: AbortSignal): Promise<string> {
  const { source, root, entries, name, archive } = selected;
  const files = entries.filter(({ entry }) => entry.type === 'file').map(({ entry }) => entry);
  const digests = await source.digests(root.type === 'file' ? [root] : files, signal);
  let next = 0;
  const names = new Map<string, BytePath>();
  const describeEntry = (entry: SourceEntry, path: string): string => {
    const owner = entry.uid === 0 && entry.gid === 0 ? '' : `${entry.uid}:${entry.gid}`;
    const content = entry.type === 'file' ? digests[next++]! : (entry.target ?? deviceOf(entry));
    return (
      record(entry.type, entry.mode.toString(8), owner, path, content) + describeLink(entry, path, names)
    );
  };
  // A folder's own mode is not copied, only what is in it.
  const first = root.type === 'directory' ? record('directory') : describeEntry(root, name);
  const below = entries.map(({ entry, below: path, isImplied }) => {
    return isImplied ? record('implied', describeEntry(entry, path)) : describeEntry(entry, path);
  });
  return record('path', archive ?? '') + first + below.join('');
}

/** That a file is one with another, which `names` has by its key. */
function describeLink({ linkKey }: SourceEntry, path: BytePath, names: Map<string, BytePath>): string {
  if (linkKey === undefined) return '';
  const first = names.get(linkKey);
  if (first !== undefined) return record('same file', first);
  names.set(linkKey, path);
  return '';
}

function deviceOf({ major, minor }: SourceEntry): string {
  return major === undefined ? '' : `${major}:${minor}`;
}

/** Fields with their lengths in front: no two lists of fields give the same text. */
function record(...fields: readonly string[]): string {
  let text = `${fields.length}`;
  for (const field of fields) text += ` ${field.length}:${field}`;
  return `${text}\n`;
}
