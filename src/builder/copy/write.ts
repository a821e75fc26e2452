import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BytePath } from '../../layer/layer-change.ts';
import type { ChangeToWrite, FileToWrite, LayerWriter } from '../../layer/tar/layer-writer.ts';
import type { PlannedEntry } from '../target/target.ts';
import type { CopyPlan } from './plan.ts';

const TURN_MS = 30;

/**
 * Writes a plan's entries, straight from where they are, without unpacking anything. The caller ends the layer. The
 * event loop gets its turn every few milliseconds. Throws `in-use` where a file has changed since it was selected.
 */
export async function writeCopyLayer(
  { entries }: Pick<CopyPlan, 'entries'>,
  writer: LayerWriter,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onBytes?: ((bytes: number) => void) | undefined;
  } = {},
): Promise<void> {
  const links = new Map<string, BytePath>();
  let bytes = 0;
  let turnEnds = performance.now() + TURN_MS;
  for (const entry of entries) {
    const first = entry.linkKey === undefined ? undefined : links.get(entry.linkKey);
    if (first !== undefined) writer.add({ ...metadata(entry), type: 'hardlink', target: first });
    else if (entry.type === 'file') await writeFile(entry, writer);
    else writer.add(changeOf(entry));
    if (entry.linkKey !== undefined && first === undefined) links.set(entry.linkKey, entry.path);
    bytes += entry.sizeBytes;
    if (performance.now() < turnEnds) continue;
    options.onBytes?.(bytes);
    await nextTurn();
    options.signal?.throwIfAborted();
    turnEnds = performance.now() + TURN_MS;
  }
  options.onBytes?.(bytes);
}

async function writeFile(entry: PlannedEntry, writer: LayerWriter): Promise<void> {
  const file: FileToWrite = { ...metadata(entry), type: 'file', sizeBytes: entry.sizeBytes };
  const { content } = entry;
  if (content === undefined || content instanceof Uint8Array) {
    writer.addFile(file, content ?? Buffer.alloc(0));
    return;
  }
  const opening = content();
  // Files of the context open at once; waiting for each would cost a turn a file.
  const opened = opening instanceof Promise ? await opening : opening;
  try {
    writer.addFileFrom(file, opened.fd, opened.start);
  } finally {
    const closing = opened.close();
    if (closing instanceof Promise) await closing;
  }
}

function metadata({ path, mode, uid, gid, mtimeSeconds, xattrs }: PlannedEntry) {
  const mtime = { seconds: mtimeSeconds, nanoseconds: 0 };
  return { path, mode, uid, gid, mtime, xattrs };
}

function changeOf(entry: PlannedEntry): ChangeToWrite {
  const { type, target = '', major = 0, minor = 0 } = entry;
  const shared = metadata(entry);
  switch (type) {
    case 'symlink':
      return { ...shared, type, target };
    case 'char':
    case 'block':
      return { ...shared, type, major, minor };
    case 'fifo':
      return { ...shared, type };
    case 'directory':
      return { ...shared, type };
    case 'file':
      return { ...shared, type, sizeBytes: entry.sizeBytes };
  }
}
