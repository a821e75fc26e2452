import type { ContainerSpec } from '../../bundle/container-spec.ts';
import { hostsFile } from '../../network/names/hosts-file.ts';
import { hostResolvConf, resolvConf } from '../../network/names/resolv-conf.ts';
import type { NetworkAttachment, NetworkDriver } from '../../network/network.ts';
import type { BuildNetworkMode, RunSettings } from '../request/build-request.ts';
import { BUILD_HOSTNAME } from './run-spec.ts';

/** The network that a RUN step gets, and what the files that go with it say, by their names in /etc. */
export interface StepNetwork {
  readonly network: ContainerSpec['network'];
  readonly etcFiles: Readonly<Record<'hosts' | 'hostname' | 'resolv.conf', string>>;
}

const NO_DNS = { servers: [], search: [], options: [] };
/** What `host-gateway` stands for where there is no bridge. */
const LOOPBACK = '127.0.0.1';

/**
 * The network of one build. All its steps share one namespace, since making it costs more than a short step; it is
 * made when the first step needs it, and goes with the build.
 */
export class BuildNetwork implements AsyncDisposable {
  readonly #driver: () => Promise<NetworkDriver>;
  readonly #id: string;
  readonly #options: RunSettings;
  readonly #modes = new Map<BuildNetworkMode, Promise<StepNetwork>>();
  #attachment: Promise<NetworkAttachment> | undefined;

  constructor(driver: () => Promise<NetworkDriver>, buildId: string, options: RunSettings) {
    this.#driver = driver;
    this.#id = buildId;
    this.#options = options;
  }

  /** The network of steps that ask for `mode`. Throws what the driver throws. */
  forMode(mode: BuildNetworkMode, signal: AbortSignal): Promise<StepNetwork> {
    let made = this.#modes.get(mode);
    if (made === undefined) {
      made = this.#make(mode, signal);
      this.#modes.set(mode, made);
    }
    return made;
  }

  async #make(mode: BuildNetworkMode, signal: AbortSignal): Promise<StepNetwork> {
    if (mode === 'host') return { network: { mode: 'host' }, etcFiles: await this.#etcFiles(mode) };
    if (mode === 'none') return { network: { mode: 'none' }, etcFiles: await this.#etcFiles(mode) };
    const driver = await this.#driver();
    this.#attachment = driver.setup({
      id: this.#id,
      name: 'bridge',
      ports: [],
      label: 'a build',
      signal,
    });
    const attachment = await this.#attachment;
    return {
      network: { mode: 'namespace', path: attachment.namespacePath },
      etcFiles: await this.#etcFiles(mode, attachment),
    };
  }

  async #etcFiles(mode: BuildNetworkMode, attachment?: NetworkAttachment): Promise<StepNetwork['etcFiles']> {
    const address = attachment?.addresses[0]?.split('/')[0];
    return {
      hosts: hostsFile({
        hostname: BUILD_HOSTNAME,
        ...(address === undefined ? {} : { address }),
        gateway: attachment?.gateways[0] ?? LOOPBACK,
        extra: this.#options.extraHosts,
      }),
      hostname: `${BUILD_HOSTNAME}\n`,
      'resolv.conf': resolvConf(await hostResolvConf(), NO_DNS, mode === 'default' ? 'namespace' : 'host'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#attachment === undefined) return;
    await this.#attachment.catch(() => {});
    await (await this.#driver()).teardown({ id: this.#id });
  }
}
