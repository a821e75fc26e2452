import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isErrno, isOcitsError, OcitsError } from '../errors.ts';
import type { HostPaths } from '../system/paths.ts';
import { isRunning, ownIdentity } from '../system/process/process-identity.ts';
import { allSettled } from '../system/task/all-settled.ts';
import { lockFile, withLock } from '../system/task/lock.ts';
import type { NetworkController, SandboxRequest } from './controller.ts';
import type { NetworkDriver, ReservationRequest } from './driver.ts';
import { openDriver } from './drivers/open-driver.ts';
import type { NetworkDescription, NetworkEndpoint, NetworkRecord, Sandbox } from './network.ts';
import { startHolder, stopHolder } from './ports/holder.ts';
import { PortSockets } from './ports/port-sockets.ts';
import { settlePorts } from './ports/settle.ts';
import { deleteNamespace, isUnused, makeNamespace } from './sandbox/namespace.ts';
import type { SandboxRecord } from './sandbox/sandbox-record.ts';
import { SandboxRecords } from './sandbox/sandbox-records.ts';
import { attachmentsFolder, type NetworkSettings, networkSettings } from './settings.ts';
import { type NetworkStore, openNetworkStore } from './store/network-store.ts';

/** The controller of this host's networks. Sandboxes need root. Opening it does nothing. */
export function openNetworkController(
  paths: HostPaths,
  settings: NetworkSettings = networkSettings(),
): NetworkController {
  return new HostNetworks(paths.root, settings);
}

const HOLD_AGAIN_WAIT_MS = 5000;

interface FoundNetwork {
  readonly network: NetworkRecord;
  readonly driver: NetworkDriver;
}

class HostNetworks implements NetworkController {
  readonly #root: string;
  readonly #folder: string;
  readonly #store: NetworkStore;
  readonly #records: SandboxRecords;
  readonly #drivers = new Map<string, Promise<NetworkDriver>>();

  constructor(root: string, settings: NetworkSettings) {
    this.#root = root;
    this.#folder = settings.folder;
    this.#store = openNetworkStore(settings);
    const recover = async (id: string) => {
      const { recoverSandbox } = await import('./sandbox/recover-sandbox.ts');
      return await recoverSandbox(id, this.#namespacePath(id), settings.bridge);
    };
    this.#records = new SandboxRecords(attachmentsFolder(settings), this.#namespaces, recover);
  }

  async setup(request: SandboxRequest): Promise<Sandbox> {
    const networks = await Promise.all(request.endpoints.map(({ network }) => this.#find(network)));
    if ((await this.#records.find(request.id)) !== undefined) {
      throw new OcitsError('already-exists', `${request.id} is connected to the network already`);
    }
    try {
      return await this.#setup(request, networks);
    } catch (error) {
      await this.teardown(request);
      throw error;
    }
  }

  async #setup(request: SandboxRequest, networks: readonly FoundNetwork[]): Promise<Sandbox> {
    const { signal } = request;
    const intent = this.#intent(request);
    // First the record: whatever is made then can be found and cleared away after a crash.
    await this.#records.put(intent);
    const namespace = makeNamespace(intent.path, signal);
    namespace.catch(() => {});
    // Whatever fails below, the namespace is made to its end first: teardown must find it.
    const [locked] = await Promise.allSettled([
      lockFile(this.#lockPath, { mode: 'exclusive', signal }),
      namespace,
    ]);
    if (locked.status === 'rejected') throw locked.reason;
    await using _lock = locked.value;
    await namespace;
    let record = intent;
    for (const [index, wanted] of request.endpoints.entries()) {
      const ports = index === 0 ? request.ports : [];
      using sockets = new PortSockets();
      const reservation = { ...wanted, interfaceName: `eth${index}`, ports, sockets };
      record = await this.#connect(record, networks[index]!, reservation, signal);
    }
    return sandboxOf(record);
  }

  #intent({ id, label }: SandboxRequest): SandboxRecord {
    const path = this.#namespacePath(id);
    return { version: 2, id, path, endpoints: [], label, root: this.#root, owner: ownIdentity() };
  }

  /** Adds an endpoint to a sandbox; the record says so before anything of it is made. */
  async #connect(
    record: SandboxRecord,
    { network, driver }: FoundNetwork,
    request: ReservationRequest,
    signal: AbortSignal | undefined,
  ): Promise<SandboxRecord> {
    const defined = await driver.define(network);
    const sandboxes = await this.#records.list();
    const endpoint = await driver.reserve(defined, request, sandboxes);
    const connected = { ...record, endpoints: [...record.endpoints, endpoint] };
    await this.#records.put(connected);
    const all = [...sandboxes.filter(({ id }) => id !== record.id), connected];
    // All end under the lock: after it, a failed set-up would take away rules that are still to come.
    const [held] = await allSettled([
      this.#hold(connected, endpoint, request.sockets),
      driver.attach(defined, record, endpoint, signal),
      driver.repair(defined, all),
    ]);
    return held;
  }

  /** Gives the sockets of a sandbox's host ports to a process that lasts; the record says which before it has them. */
  async #hold(
    record: SandboxRecord,
    { addresses }: NetworkEndpoint,
    { all: sockets }: PortSockets,
  ): Promise<SandboxRecord> {
    if (sockets.length === 0) return record;
    let held = record;
    const { id } = record;
    const address = addresses[0]!.split('/')[0]!;
    await startHolder({ id, fifo: this.#fifo(id), sockets, address }, async (holder) => {
      held = { ...record, holder };
      await this.#records.put(held);
    });
    return held;
  }

  /** Holds the ports of a sandbox again, where their holder has ended. A port that somebody else has by now is left out. */
  async #holdAgain(id: string): Promise<void> {
    // Where others set up and tear down for longer, the next command looks again.
    await using lock = await lockFile(this.#lockPath, { mode: 'exclusive', waitMs: HOLD_AGAIN_WAIT_MS });
    const record = lock === undefined ? undefined : await this.#records.find(id);
    if (record === undefined || isHeld(record)) return;
    await this.#letGo(record);
    for (const endpoint of record.endpoints.filter(({ ports }) => ports.length > 0)) {
      using sockets = new PortSockets();
      for (const port of endpoint.ports) {
        await settlePorts([port], [], sockets).catch((error: unknown) => {
          if (!isOcitsError(error, 'in-use', 'invalid-argument')) throw error;
        });
      }
      await this.#hold(record, endpoint, sockets);
    }
  }

  async #letGo({ id, holder }: SandboxRecord): Promise<void> {
    if (holder !== undefined) await stopHolder({ id, fifo: this.#fifo(id), holder });
  }

  async teardown({ id }: Pick<Sandbox, 'id'>): Promise<void> {
    const record = await this.#records.find(id);
    if (record === undefined) return;
    await Promise.all([deleteNamespace(record.path), this.#detach(record)]);
    await this.#records.delete(id);
  }

  /** Takes away what the endpoints have outside of the namespace. */
  async #detach(record: SandboxRecord): Promise<void> {
    const published = record.endpoints.filter(({ ports }) => ports.length > 0);
    if (published.length === 0 && record.holder === undefined) return;
    // The record goes under the lock, too: else another set-up would put the rules back.
    await withLock(this.#lockPath, { mode: 'exclusive' }, async () => {
      await Promise.all([this.#letGo(record), this.#detachEach(record, published)]);
      const endpoints = record.endpoints.map((endpoint) => ({ ...endpoint, ports: [] }));
      await this.#records.put({ ...record, endpoints });
    });
  }

  async #detachEach(record: SandboxRecord, endpoints: readonly NetworkEndpoint[]): Promise<void> {
    for (const endpoint of endpoints) await (await this.#driver(endpoint.driver)).detach(record, endpoint);
  }

  async find(id: string): Promise<Sandbox | undefined> {
    const record = await this.#records.find(id);
    return record === undefined ? undefined : sandboxOf(record);
  }

  async repair(isLive: (id: string) => Promise<boolean>): Promise<void> {
    await this.#records.sweep();
    const failures: unknown[] = [];
    for (const record of await this.#records.list()) {
      // One that cannot be torn down keeps no other.
      await this.#repairOne(record, isLive).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #repairOne(record: SandboxRecord, isLive: (id: string) => Promise<boolean>): Promise<void> {
    const isOurs = record.root === this.#root;
    if (isRunning(record.owner) || (isOurs ? await isLive(record.id) : !(await isOrphan(record)))) {
      if (isOurs && !isHeld(record)) await this.#holdAgain(record.id);
      return;
    }
    const now = await this.#records.find(record.id);
    // Another may have come since under the same ID: a container that was started again.
    if (isDeepStrictEqual(now?.owner, record.owner)) await this.teardown(record);
  }

  async describe(nameOrId: string): Promise<NetworkDescription> {
    const { network, driver } = await this.#find(nameOrId);
    return driver.describe(await driver.define(network), await this.#records.list());
  }

  async prune(): Promise<readonly string[]> {
    return await withLock(this.#lockPath, { mode: 'exclusive' }, async () => {
      const sandboxes = await this.#records.list();
      const gone: string[] = [];
      for (const network of await this.#store.list()) {
        if (sandboxes.some((sandbox) => isOn(network, sandbox))) continue;
        const name = await (await this.#driver(network.driver)).dismantle(network);
        if (name !== undefined) gone.push(name);
      }
      return gone;
    });
  }

  async #find(nameOrId: string): Promise<FoundNetwork> {
    const network = await this.#store.find(nameOrId);
    return { network, driver: await this.#driver(network.driver) };
  }

  #driver(kind: string): Promise<NetworkDriver> {
    let driver = this.#drivers.get(kind);
    if (driver === undefined) {
      driver = openDriver(kind, this.#folder);
      this.#drivers.set(kind, driver);
    }
    return driver;
  }

  get #namespaces(): string {
    return join(this.#folder, 'netns');
  }

  #namespacePath(id: string): string {
    return join(this.#namespaces, id);
  }

  #fifo(id: string): string {
    return join(this.#folder, `${id}.fifo`);
  }

  get #lockPath(): string {
    return join(this.#folder, 'lock');
  }
}

/** Whether its host ports are held, as far as it has any. */
function isHeld({ endpoints, holder }: SandboxRecord): boolean {
  if (holder !== undefined) return isRunning(holder);
  return endpoints.every(({ ports }) => ports.every(({ protocol }) => protocol === 'sctp'));
}

function sandboxOf({ id, path, endpoints, label }: SandboxRecord): Sandbox {
  return { id, path, endpoints, label };
}

/** By the interface and not by the network's name: another store may have another one for that name. */
function isOn({ hostInterface }: NetworkRecord, { endpoints }: Sandbox): boolean {
  return endpoints.some((endpoint) => endpoint.hostInterface === hostInterface);
}

/**
 * The record is of a store that is gone. A store that only this process cannot see still has containers that run in the
 * namespace.
 */
async function isOrphan({ root, path }: SandboxRecord): Promise<boolean> {
  const isThere = await stat(root).then(
    () => true,
    (error: unknown) => !isErrno(error, 'ENOENT', 'ENOTDIR'),
  );
  return !isThere && isUnused(path);
}
