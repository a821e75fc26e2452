import { OcitsError } from '../../errors.ts';
import type { ProcessIdentity } from '../../system/process/process-identity.ts';
import type { NetworkEndpoint, Sandbox } from '../network.ts';

/** What is known of a sandbox on this host, by all ocits processes of whatever store. */
export interface SandboxRecord extends Sandbox {
  readonly version: 2;
  /** The store that it belongs to (`OCITS_ROOT`), and the process that asked for it. */
  readonly root: string;
  readonly owner: ProcessIdentity;
  /** The process that holds its host ports; undefined where it has none, or an older ocits has published them. */
  readonly holder?: ProcessIdentity | undefined;
}

/** Version 1, which does not say so: a namespace with one endpoint, which is on a bridge. */
interface AttachmentRecord
  extends Omit<NetworkEndpoint, 'driver' | 'hostInterface'>,
    Pick<SandboxRecord, 'id' | 'label' | 'root' | 'owner'> {
  readonly version: undefined;
  readonly namespacePath: string;
  readonly bridge: string;
}

/**
 * Reads the text of a record of any version up to this one; undefined where it is damaged. Throws `unsupported` for one
 * of a newer ocits.
 */
export function parseSandboxRecord(text: string): SandboxRecord | undefined {
  const record = parseJson(text) as SandboxRecord | AttachmentRecord | undefined;
  if (typeof record?.id !== 'string') return undefined;
  if (record.version === 2) return record;
  if (record.version === undefined) return lifted(record);
  const { id, version } = record as { readonly id: string; readonly version: unknown };
  throw new OcitsError(
    'unsupported',
    `a newer ocits has made the network of ${id}: its version is ${version}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

function lifted(record: AttachmentRecord): SandboxRecord {
  const { id, label, root, owner, namespacePath, bridge, version: _, ...endpoint } = record;
  return {
    version: 2,
    id,
    path: namespacePath,
    // Without an address the set-up had not come to the endpoint.
    endpoints:
      endpoint.addresses.length === 0 ? [] : [{ ...endpoint, driver: 'bridge', hostInterface: bridge }],
    label,
    root,
    owner,
  };
}
