import type { Call } from '../../call.ts';
import { formatFlag, text, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { CONTAINER } from '../../cli/shapes/container-shape.ts';
import { IMAGE } from '../../cli/shapes/image-shape.ts';
import { NETWORK } from '../../cli/shapes/network-shape.ts';
import { VOLUME } from '../../cli/shapes/volume-shape.ts';
import { type Inspected, inspectTargets } from '../../cli/template/inspect-output.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { inspectContainer } from '../../container/show/inspect-container.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import { inspectImage } from '../../image/catalog/inspect-image.ts';
import { inspectNetwork } from '../../network/inspect-network.ts';
import { inspectVolume } from '../../volume/inspect-volume.ts';

type Finder = (engine: Engine, call: Call, name: string, size: boolean) => Promise<Inspected>;

/** In the order in which a name is looked up. */
const FINDERS: Readonly<Record<string, Finder>> = {
  container: async (engine, _call, name, size) => {
    const record = await findContainer(engine.paths, name);
    return { data: await inspectContainer(engine, record, { size }), shape: CONTAINER };
  },
  image: async (engine, call, name) => ({ data: await inspectImage(engine, call, name), shape: IMAGE }),
  volume: async (engine, _call, name) => ({
    data: await inspectVolume(await engine.volumes(), name),
    shape: VOLUME,
  }),
  network: async (engine, _call, name) => ({
    data: await inspectNetwork(await engine.network(), name),
    shape: NETWORK,
  }),
};

export default class Inspect extends BaseCommand {
  static override summary = 'Show all that is known of containers, images, volumes or networks';
  static override usage = '[OPTIONS] NAME|ID [NAME|ID...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    format: formatFlag,
    size: toggle({ char: 's', description: 'with what a container has written' }),
    type: text({ description: 'look only among these: container, image, volume or network' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Inspect);
    const { type } = flags;
    if (type !== undefined && !Object.hasOwn(FINDERS, type)) {
      throw new OcitsError(
        'invalid-argument',
        `--type: ${JSON.stringify(type)} is not container, image, volume or network`,
      );
    }
    const finders = type === undefined ? Object.values(FINDERS) : [FINDERS[type]!];
    const { engine } = this;
    const call = this.call();
    await sweepContainers(engine, call);
    await inspectTargets(args, flags.format, (name) =>
      inspectFirst(engine, call, { name, finders, size: flags.size }),
    );
  }
}

interface Search {
  readonly name: string;
  readonly finders: readonly Finder[];
  readonly size: boolean;
}

async function inspectFirst(engine: Engine, call: Call, { name, finders, size }: Search): Promise<Inspected> {
  for (const find of finders) {
    try {
      return await find(engine, call, name, size);
    } catch (error) {
      // A name that cannot be one of this kind is not there either.
      if (!isOcitsError(error, 'not-found', 'invalid-reference', 'invalid-argument')) throw error;
      if (finders.length === 1) throw error;
    }
  }
  throw new OcitsError('not-found', `No such object: ${name}`);
}
