import type { Descriptor } from '../oci/descriptor.ts';
import { JsonFields } from '../oci/json-fields.ts';
import { readDescriptor } from '../oci/parse-descriptor.ts';

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

/** Throws an error that says what is wrong with the text. */
export function parseRefRecord(text: string): RefRecord {
  const fields = new JsonFields(JSON.parse(text), 'the ref');
  if (fields.value('version') !== VERSION) {
    throw new Error(`version ${String(fields.value('version'))} is not known`);
  }
  const updatedAt = new Date(String(fields.value('updatedAt')));
  if (Number.isNaN(updatedAt.getTime())) throw new Error('the time is not readable');
  return { descriptor: fields.object('descriptor', readDescriptor), updatedAt };
}
