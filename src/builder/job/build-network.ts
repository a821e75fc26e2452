import type { ContainerSpec } from '../../bundle/container-spec.ts';
import { type BuildNetworkMode, hasOwnSandbox, namespaceOf, networkChoice } from '../../network/choice.ts';
import type { NetworkController } from '../../network/controller.ts';
import type { EtcFiles } from '../../network/names/etc-files.ts';
import { sandboxHosts } from '../../network/names/hosts-file.ts';
import { hostResolvConf, resolvConf } from '../../network/names/resolv-conf.ts';
import type { NetworkChoice, Sandbox } from '../../network/network.ts';
import type { RunSettings } from '../request/build-request.ts';
import { BUILD_HOSTNAME } from './run-spec.ts';

/** The network that a RUN step gets, and what the files that go with it say. */
export interface StepNetwork {
  readonly networkNamespace: ContainerSpec['networkNamespace'];
  readonly etcFiles: EtcFiles;
}

const NO_DNS = { servers: [], search: [], options: [] };

/**
 * The network of one build. All its steps share one sandbox, since making it costs more than a short step; it is made
 * when the first step needs it, and goes with the build.
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

  /** The network of steps that ask for `mode`. Throws what the controller throws. */
  forMode(mode: BuildNetworkMode, signal: AbortSignal): Promise<StepNetwork> {
    let made = this.#modes.get(mode);
    if (made === undefined) {
      made = this.#make(networkChoice(mode), signal);
      this.#modes.set(mode, made);
    }
    return made;
  }

  async #make(choice: NetworkChoice, signal: AbortSignal): Promise<StepNetwork> {
    const sandbox = hasOwnSandbox(choice) ? await this.#setup(choice, signal) : undefined;
    return { networkNamespace: namespaceOf(choice, sandbox), etcFiles: await this.#etcFiles(sandbox) };
  }

  async #setup({ endpoints }: NetworkChoice, signal: AbortSignal): Promise<Sandbox> {
    const controller = await this.#controller();
    this.#sandbox = controller.setup({ id: this.#id, endpoints, ports: [], label: 'a build', signal });
    return await this.#sandbox;
  }

  async #etcFiles(sandbox: Sandbox | undefined): Promise<EtcFiles> {
    const reach = sandbox === undefined ? 'host' : 'namespace';
    return {
      hosts: sandboxHosts(BUILD_HOSTNAME, this.#options.extraHosts, sandbox),
      hostname: `${BUILD_HOSTNAME}\n`,
      'resolv.conf': resolvConf(await hostResolvConf(), NO_DNS, reach),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#sandbox === undefined) return;
    await this.#sandbox.catch(() => {});
    await (await this.#controller()).teardown({ id: this.#id });
  }
}
