import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from '../../../src/oci/image-config.ts';
import { hostPlatform } from '../../../src/oci/platform.ts';
import { busyboxLayer } from '../image/busybox-image.ts';
import { listTree } from '../layer/list-tree.ts';
import { type TarMember, tarBytes } from '../layer/tar-bytes.ts';
import { CommandLine, type Finished } from '../program/command-line.ts';
import { imageOf, layerOf, uploadImage } from '../registry/remote-image.ts';

export const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Files of the host that containers must not change, whatever their image says. */
const HOST_FILES = ['/etc/passwd', '/etc/group', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

/** What a decoy file holds: never to be seen in a container. */
export const DECOY = 'of-the-host';

/**
 * The real program, a real registry to which tests upload hostile images, and a folder of the host that those images
 * aim at. `attacked` says what has changed there.
 */
export class HostileWorld implements AsyncDisposable {
  readonly ocits: CommandLine;
  /** Has `passwd` and `group` with the user and group `evil`, `hosts`, `resolv.conf`, `secret`, `dev/null`, `empty/`. */
  readonly decoy: string;
  readonly #before: string;
  #images = 0;

  private constructor(ocits: CommandLine, decoy: string, before: string) {
    this.ocits = ocits;
    this.decoy = decoy;
    this.#before = before;
  }

  static async open(): Promise<HostileWorld> {
    const ocits = await CommandLine.open([]);
    const decoy = makeDecoy(ocits.folder);
    return new HostileWorld(ocits, decoy, await fingerprint(decoy));
  }

  /** Uploads busybox with further layers over it; the reference. `createdBy` is what all of them say they were made by. */
  async image(
    layers: readonly (readonly TarMember[])[],
    config: RunConfig = {},
    createdBy?: readonly string[],
  ): Promise<string> {
    const name = `hostile/image${this.#images++}`;
    const image = imageOf({
      layers: [await busyboxLayer(), ...layers.map((members) => tarBytes(members))].map((tar) =>
        layerOf(tar, 'none'),
      ),
      platform: hostPlatform(),
      config: { Env: [PATH], Cmd: ['sh'], ...config },
      ...(createdBy === undefined ? {} : { createdBy }),
    });
    const { host } = this.ocits.registry;
    await uploadImage(`http://${host}`, name, '1', image);
    return `${host}/${name}:1`;
  }

  /** Runs a script in a fresh container of an image. */
  async run(image: string, script: string, ...flags: readonly string[]): Promise<Finished> {
    const words = ['run', '--rm', '--network', 'none', ...flags, image, '/bin/sh', '-c', script];
    return await this.ocits.run(words);
  }

  /** Builds `FROM image` and these lines, nothing cached; what the steps print is on standard error. */
  async build(image: string, lines: readonly string[], ...flags: readonly string[]): Promise<Finished> {
    const context = mkdtempSync(join(this.ocits.folder, 'context-'));
    writeFileSync(join(context, 'Dockerfile'), [`FROM ${image}`, ...lines, ''].join('\n'));
    const fixed = ['--no-cache', '--network', 'none', '--progress', 'plain'];
    return await this.ocits.run(['build', ...fixed, ...flags, context]);
  }

  /** Starts a container in the background that sleeps; its ID. */
  async detached(image: string, ...flags: readonly string[]): Promise<string> {
    const words = ['run', '-d', '--network', 'none', ...flags, image, '/bin/sleep', '100'];
    return (await this.ocits.ok(...words)).trim();
  }

  /** Whether anything of the host that images aim at is other than it was. */
  async isHostChanged(): Promise<boolean> {
    return (await fingerprint(this.decoy)) !== this.#before;
  }

  /** Names of containers and volumes that are there. */
  async remains(): Promise<string> {
    return (await this.ocits.ok('ps', '-aq')) + (await this.ocits.ok('volume', 'ls', '-q'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ocits[Symbol.asyncDispose]();
  }
}

function makeDecoy(folder: string): string {
  const decoy = join(folder, 'decoy');
  for (const name of ['dev', 'empty']) mkdirSync(join(decoy, name), { recursive: true });
  const files = {
    passwd: 'evil:x:0:0::/:/bin/sh\n',
    group: 'evil:x:0:\n',
    hosts: `1.2.3.4 ${DECOY}\n`,
    'resolv.conf': `search ${DECOY}\n`,
    hostname: `${DECOY}\n`,
    secret: DECOY,
    'dev/null': DECOY,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(decoy, name), content);
  return decoy;
}

async function fingerprint(decoy: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of HOST_FILES) hash.update(`${path}\0`).update(readFileSync(path));
  hash.update(JSON.stringify(await listTree(decoy)));
  return hash.digest('hex');
}
