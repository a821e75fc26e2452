import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BytePath } from '../../layer/layer-change.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { textIfThereSync } from '../../system/file/if-there.ts';

/** What is known of an unpacked layer, in `record.json` of its folder. Never changes. */
export interface LayerRecord {
  readonly version: 1;
  readonly key: Digest;
  readonly diffId: Digest;
  /** The short name that its form has given it, for `LayerForm.lowers`. */
  readonly link: string;
  /** The boot in which it was written. Nothing was synced by then. */
  readonly bootId: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly sizeBytes: number;
  readonly entries: number;
  /** Made for one stack only: it depends on what lies below. */
  readonly leans: boolean;
  /** Its tree was the upper layer of a mount. */
  readonly wasUpper: boolean;
  /** Of the root folder, where the layer lists it. */
  readonly rootFolder?: RootFolder | undefined;
  /** Folders that hide all that lies below them; the empty path is the root. */
  readonly opaques: readonly BytePath[];
}

/** What the root folder of a layer or a stack is like; `mode` without the type. */
export interface RootFolder {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const FILE = 'record.json';
const DURABLE = 'durable';

/** Undefined where there is none, or one that is damaged or of another version. */
export function readRecord(layerFolder: string): LayerRecord | undefined {
  const text = textIfThereSync(join(layerFolder, FILE));
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as LayerRecord;
    return record.version === 1 && isDigest(record.key) && isDigest(record.diffId) ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Into a folder that has no layer's name yet. */
export function writeRecord(layerFolder: string, record: LayerRecord): void {
  writeFileSync(join(layerFolder, FILE), `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

/** Whether the layer is known to be on the disk as it was written. */
export function isDurable(layerFolder: string): boolean {
  return existsSync(join(layerFolder, DURABLE));
}

/** Notes that the layer is on the disk as it was written. */
export function markDurable(layerFolder: string): void {
  writeFileSync(join(layerFolder, DURABLE), '', { mode: 0o600 });
}
