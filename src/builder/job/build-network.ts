import type { ContainerSpec } from '../../bundle/container-spec.ts';
import type { NetworkController } from '../../network/controller.ts';
import { hostsFile } from '../../network/names/hosts-file.ts';
import { hostResolvConf, resolvConf } from '../../network/names/resolv-conf.ts';
import type { Sandbox } from '../../network/network.ts';
import type { BuildNetworkMode, RunSettings } from '../request/build-request.ts';
import { BUILD_HOSTNAME } from './run-spec.ts';

/** The network that a RUN step gets, and what the files that go with it say, by their names in /etc. */
export interface StepNetwork {
  readonly networkNamespace: ContainerSpec['networkNamespace'];
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
  readonly #controller: () => Promise<NetworkController>;
  readonly #id: string;
  readonly #options: RunSettings;
  readonly #modes = new Map<BuildNetworkMode, Promise<StepNetwork>>();
  #sandbox: Promise<Sandbox> | undefined;

  constructor(controller: () => Promise<NetworkController>, buildId: string, options: RunSettings) {
    this.#controller = controller;
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
    if (mode === 'host') return { networkNamespace: 'inherited', etcFiles: await this.#etcFiles(mode) };
    if (mode === 'none') return { networkNamespace: 'new', etcFiles: await this.#etcFiles(mode) };
    const controller = await this.#controller();
    this.#sandbox = controller.setup({
      id: this.#id,
      endpoints: [{ network: 'bridge', aliases: [] }],
      ports: [],
      label: 'a build',
      signal,
    });
    const sandbox = await this.#sandbox;
    return {
      networkNamespace: { path: sandbox.path },
      etcFiles: await this.#etcFiles(mode, sandbox),
    };
  }

  async #etcFiles(mode: BuildNetworkMode, sandbox?: Sandbox): Promise<StepNetwork['etcFiles']> {
    const address = sandbox?.endpoints[0]?.addresses[0]?.split('/')[0];
    return {
      hosts: hostsFile({
        hostname: BUILD_HOSTNAME,
        ...(address === undefined ? {} : { address }),
        gateway: sandbox?.endpoints[0]?.gateways[0] ?? LOOPBACK,
        extra: this.#options.extraHosts,
      }),
      hostname: `${BUILD_HOSTNAME}\n`,
      'resolv.conf': resolvConf(await hostResolvConf(), NO_DNS, mode === 'default' ? 'namespace' : 'host'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#sandbox === undefined) return;
    await this.#sandbox.catch(() => {});
    await (await this.#controller()).teardown({ id: this.#id });
  }
}
