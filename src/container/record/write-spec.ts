import { writeFile } from 'node:fs/promises';
import { writeFileAtomic } from '../../system/file/atomic-file.ts';
import type { ContainerRecord } from './record.ts';

/** Writes `spec.json`. One that is to last survives a crash of the machine; others would be cleared away after it anyway. */
export async function writeSpec(path: string, record: ContainerRecord): Promise<void> {
  const text = `${JSON.stringify(record)}\n`;
  if (record.lifetime.autoRemove) await writeFile(path, text, { mode: 0o600 });
  else await writeFileAtomic(path, text);
}
