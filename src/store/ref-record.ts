import { OcitsError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { parseDescriptor, parseObject } from '../oci/parse-descriptor.ts';

const VERSION = 1;

/** What a ref's file says. */
export interface RefRecord {
  readonly descriptor: Descriptor;
  readonly updatedAt: Date;
}

export function formatRefRecord(record: RefRecord): string {
  const { descriptor, updatedAt } = record;
  return `${JSON.stringify({ version: VERSION, descriptor, updatedAt: updatedAt.toISOString() })}\n`;
}

/** Throws `corrupt` with the file's path: a ref that cannot be read must not look like one that is not there. */
export function parseRefRecord(text: string, path: string): RefRecord {
  try {
    const fields = parseObject(JSON.parse(text), 'a ref');
    if (fields['version'] !== VERSION) throw new Error(`version ${String(fields['version'])} is not known`);
    const updatedAt = new Date(String(fields['updatedAt']));
    if (Number.isNaN(updatedAt.getTime())) throw new Error('the time is not readable');
    return { descriptor: parseDescriptor(fields['descriptor'], 'its descriptor'), updatedAt };
  } catch (error) {
    throw new OcitsError('corrupt', `${path} is damaged: ${(error as Error).message}`, {
      cause: error,
      hint: 'delete the file, and pull or build the image again',
    });
  }
}
