import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isErrno, OcitsError } from '../errors.ts';
import type { PortMapping } from '../options/ports.ts';
import type { HostPaths } from '../system/paths.ts';
import { isRunning, ownIdentity } from '../system/process/process-identity.ts';
import { allSettled } from '../system/task/all-settled.ts';
import { lockFile, withLock } from '../system/task/lock.ts';
import { type AttachmentRecord, AttachmentRecords } from './attachment-records.ts';
import { allowForwarding, allowHairpin, bridgeNetwork, deleteBridge } from './bridge.ts';
import { bridgeRules, type FirewallRule, portChain, portRules } from './firewall-rules.ts';
import { additions, deletions, restoreRules, savedRules } from './iptables.ts';
import { formatNetwork, gatewayOf, type Ipv4Network, macFor, nextAddress } from './ipv4.ts';
import { deleteNamespace, isUnused, makeNamespace, runInNamespace } from './namespace.ts';
import { connectToBridge } from './netavark.ts';
import type { NetworkAttachment, NetworkDescription, NetworkDriver, NetworkRequest } from './network.ts';
import { attachmentsFolder, type NetworkSettings, networkSettings } from './network-settings.ts';
import { settlePorts } from './port-check.ts';

const INTERFACE = 'eth0';
/** The driver of the one network there is, `bridge`. Needs root, netavark and iptables. Constructing it does nothing. */
export function createNetworkDriver(
  paths: HostPaths,
  settings: NetworkSettings = networkSettings(),
): NetworkDriver {
  return new BridgeDriver(paths.root, settings);
}

class BridgeDriver implements NetworkDriver {
  readonly #root: string;
  readonly #settings: NetworkSettings;
  readonly #records: AttachmentRecords;

  constructor(root: string, settings: NetworkSettings) {
    this.#root = root;
    this.#settings = settings;
    this.#records = new AttachmentRecords(attachmentsFolder(settings));
  }

  async setup(request: NetworkRequest): Promise<NetworkAttachment> {
    if (request.name !== 'bridge') {
      throw new OcitsError(
        'unsupported',
        `network ${JSON.stringify(request.name)}: only bridge, host and none are there yet`,
      );
    }
    const unsupported = request.ports.find((port) => port.hostIp.includes(':'));
    if (unsupported !== undefined) {
      throw new OcitsError(
        'unsupported',
        `ports cannot be published on IPv6 addresses yet: ${unsupported.hostIp}`,
      );
    }
    if ((await this.#records.find(request.id)) !== undefined) {
      throw new OcitsError('already-exists', `${request.id} is connected to the network already`);
    }
    try {
      return await this.#setup(request);
    } catch (error) {
      await this.teardown(request);
      throw error;
    }
  }

  async #setup(request: NetworkRequest): Promise<NetworkAttachment> {
    const signal = request.signal === undefined ? {} : { signal: request.signal };
    const intent = this.#intent(request);
    // First the record: whatever is made then can be found and cleared away after a crash.
    await this.#records.put(intent);
    const namespace = makeNamespace(intent.namespacePath, request.signal);
    namespace.catch(() => {});
    // Whatever fails below, the namespace is made to its end first: teardown must find it.
    const [locked] = await Promise.allSettled([
      lockFile(this.#lockPath, { mode: 'exclusive', ...signal }),
      namespace,
    ]);
    if (locked.status === 'rejected') throw locked.reason;
    await using _lock = locked.value;
    await namespace;
    const network = await bridgeNetwork(this.#settings);
    const record = await this.#reserve(intent, request.ports, network);
    // Not under the lock any more, a failed set-up would take away rules that are still to come.
    await allSettled([this.#connect(record, network, request.signal), this.#addRules(network)]);
    return attachmentOf(record);
  }

  #intent(request: NetworkRequest): AttachmentRecord {
    return {
      id: request.id,
      network: request.name,
      namespacePath: join(this.#settings.folder, 'netns', request.id),
      interfaceName: INTERFACE,
      macAddress: '',
      addresses: [],
      gateways: [],
      ports: [],
      bridge: this.#settings.bridge,
      root: this.#root,
      owner: ownIdentity(),
      ...(request.label === undefined ? {} : { label: request.label }),
    };
  }

  /** Gives an address and the ports to the container, by its record. */
  async #reserve(
    intent: AttachmentRecord,
    ports: readonly PortMapping[],
    network: Ipv4Network,
  ): Promise<AttachmentRecord> {
    const others = await this.#records.list();
    const used = new Set(others.flatMap(addressOf));
    const address = nextAddress(network, used, await this.#lastAddress());
    if (address === undefined)
      throw new OcitsError('in-use', `the bridge ${intent.bridge} has no address left`);
    const taken = others.flatMap((other) =>
      other.ports.map((port) => ({ ...port, holder: `container ${other.label ?? other.id.slice(0, 12)}` })),
    );
    const record: AttachmentRecord = {
      ...intent,
      macAddress: macFor(address),
      addresses: [`${address}/${network.prefix}`],
      gateways: [gatewayOf(network)],
      ports: await settlePorts(ports, taken),
    };
    await this.#records.put(record);
    await writeFile(this.#lastAddressPath, address, { mode: 0o600 });
    return record;
  }

  async #connect(
    record: AttachmentRecord,
    network: Ipv4Network,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { bridge, folder } = this.#settings;
    const { id: containerId, namespacePath, interfaceName } = record;
    const [address = ''] = addressOf(record);
    const shield = join(folder, 'shield');
    await connectToBridge(
      { containerId, namespacePath, bridge, network, address, interfaceName, shield },
      signal,
    );
    await Promise.all([
      runInNamespace(namespacePath, ['ip', 'route', 'add', 'default', 'via', gatewayOf(network)], signal),
      allowForwarding(bridge),
      allowHairpin(bridge),
    ]);
  }

  /** Adds what is missing, also what others have lost: somebody may have flushed the host's rules. */
  async #addRules(network: Ipv4Network): Promise<void> {
    const { bridge } = this.#settings;
    const [records, saved] = await Promise.all([this.#records.list(), savedRules()]);
    const ports = records.filter((record) => record.bridge === bridge).flatMap(portRulesOf);
    const wanted = [...bridgeRules(bridge, network), ...ports];
    await restoreRules(additions(wanted, [`nat/${portChain(bridge)}`], saved));
  }

  async teardown({ id }: Pick<NetworkAttachment, 'id'>): Promise<void> {
    const record = await this.#records.find(id);
    if (record === undefined) return;
    await Promise.all([
      deleteNamespace(record.namespacePath),
      record.ports.length > 0 ? this.#deletePortRules(record) : undefined,
    ]);
    await this.#records.delete(id);
  }

  async #deletePortRules(record: AttachmentRecord): Promise<void> {
    // The record goes under the lock, too: else another set-up would put the rules back.
    await withLock(this.#lockPath, { mode: 'exclusive' }, async () => {
      const address = record.addresses[0]!.split('/')[0]!;
      const tags = new Set(
        portRules(record.bridge, record.id, address, record.ports).map((rule) => rule.tag),
      );
      const saved = await savedRules();
      await restoreRules(
        deletions(
          saved.rules.filter((rule) => tags.has(rule.tag)),
          [],
        ),
      );
      await this.#records.put({ ...record, ports: [] });
    });
  }

  async find(id: string): Promise<NetworkAttachment | undefined> {
    const record = await this.#records.find(id);
    return record === undefined ? undefined : attachmentOf(record);
  }

  async repair(isLive: (id: string) => Promise<boolean>): Promise<void> {
    await this.#records.sweep();
    for (const record of await this.#records.list()) {
      if (isRunning(record.owner)) continue;
      const isOurs = record.root === this.#root;
      if (isOurs ? await isLive(record.id) : !(await isOrphan(record))) continue;
      const now = await this.#records.find(record.id);
      // Another may have come since under the same ID: a container that was started again.
      if (isDeepStrictEqual(now?.owner, record.owner)) await this.teardown(record);
    }
  }

  async describe(): Promise<NetworkDescription> {
    const { bridge } = this.#settings;
    const [network, records] = await Promise.all([bridgeNetwork(this.#settings), this.#records.list()]);
    const attachments = records
      .filter((record) => record.bridge === bridge)
      .map((record) => ({
        ...attachmentOf(record),
        ...(record.label === undefined ? {} : { label: record.label }),
      }));
    return { bridge, subnet: formatNetwork(network), gateway: gatewayOf(network), attachments };
  }

  async prune(): Promise<readonly string[]> {
    const { bridge } = this.#settings;
    return await withLock(this.#lockPath, { mode: 'exclusive' }, async () => {
      const records = await this.#records.list();
      if (records.some((record) => record.bridge === bridge)) return [];
      const saved = await savedRules();
      const chain = `nat/${portChain(bridge)}`;
      const own = saved.rules.filter((rule) => rule.tag.startsWith(`ocits:${bridge}:`));
      await restoreRules(deletions(own, saved.chains.has(chain) ? [chain] : []));
      return (await deleteBridge(bridge)) ? [bridge] : [];
    });
  }

  async #lastAddress(): Promise<string | undefined> {
    return await readFile(this.#lastAddressPath, 'latin1').catch(() => undefined);
  }

  get #lastAddressPath(): string {
    return join(this.#settings.folder, `${this.#settings.bridge}.last-address`);
  }

  get #lockPath(): string {
    return join(this.#settings.folder, 'lock');
  }
}

function attachmentOf({ bridge, root, owner, label, ...attachment }: AttachmentRecord): NetworkAttachment {
  return attachment;
}

/** The address without its prefix; none where the set-up is not that far. */
function addressOf(record: AttachmentRecord): string[] {
  return record.addresses.map((cidr) => cidr.split('/')[0]!);
}

function portRulesOf(record: AttachmentRecord): FirewallRule[] {
  return addressOf(record).flatMap((address) => portRules(record.bridge, record.id, address, record.ports));
}

/** Of a store that is gone. One that only we cannot see still has its containers, and those run in the namespace. */
async function isOrphan({ root, namespacePath }: AttachmentRecord): Promise<boolean> {
  const isThere = await stat(root).then(
    () => true,
    (error: unknown) => !isErrno(error, 'ENOENT', 'ENOTDIR'),
  );
  return !isThere && isUnused(namespacePath);
}
