import { OcitsError } from '../../errors.ts';
import { networkChoice } from '../../network/choice.ts';
import type { NetworkChoice } from '../../network/network.ts';
import type { IsolationOptions, NetworkOptions } from '../flags/create-request.ts';
import type { ContainerRecord } from './record.ts';

/** Version 2 calls the isolation `host`. */
interface RecordWithHost extends Omit<ContainerRecord, 'version' | 'isolation'> {
  readonly version: 2;
  readonly host: IsolationOptions;
}

/** Version 1 also has one network, by its name. */
interface RecordWithMode extends Omit<RecordWithHost, 'version' | 'network'> {
  readonly version: 1;
  readonly network: Omit<NetworkOptions, keyof NetworkChoice> & { readonly mode: string };
}

/**
 * The record in the text of a `spec.json` of this version or an older one; undefined where it is damaged. Throws
 * `unsupported` for one of a newer ocits: what such a container is and needs is not known here.
 */
export function parseRecord(text: string): ContainerRecord | undefined {
  const record = parseJson(text) as ContainerRecord | RecordWithHost | RecordWithMode | undefined;
  if (typeof record?.version !== 'number') return undefined;
  if (record.version === 3) return record;
  if (record.version === 2) return fromVersion2(record);
  if (record.version === 1) return fromVersion2(fromVersion1(record));
  const { id, version } = record as { readonly id: string; readonly version: unknown };
  throw new OcitsError('unsupported', `container ${id} is from a newer ocits: its version is ${version}`, {
    hint: 'use that ocits, or another OCITS_ROOT',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

function fromVersion2({ host, ...record }: RecordWithHost): ContainerRecord {
  return { ...record, version: 3, isolation: host };
}

function fromVersion1({ network: { mode, ...network }, ...record }: RecordWithMode): RecordWithHost {
  return { ...record, version: 2, network: { ...networkChoice(mode), ...network } };
}
