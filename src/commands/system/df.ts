import type { Call } from '../../call.ts';
import { jsonFlag, oclifFlags, text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { humanSize } from '../../cli/output/human.ts';
import { formatListing } from '../../cli/template/template.ts';
import type { Engine } from '../../engine.ts';

interface Usage {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly sizeBytes: number;
  readonly reclaimableBytes: number;
}

const HEADERS = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
};
const COLUMNS = Object.keys(HEADERS);
const BUILD_CACHE = 'Build Cache';
/** Docker's sizes here have a digit more than elsewhere. */
const DIGITS = 4;

export default class SystemDf extends BaseCommand {
  static override summary = 'Show what images, containers, volumes and the build cache take on the disk';
  static override usage = '[OPTIONS]';
  static override flags = {
    format: text({ description: 'print with a Go-like template, or "json"' }),
    json: jsonFlag,
    ...oclifFlags({
      verbose: { form: 'switch', char: 'v', missing: 'list them with: ocits images, ps -as, volume ls' },
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(SystemDf);
    const { engine } = this;
    const usages = [
      await images(engine, this.call()),
      await containers(engine),
      await volumes(engine),
      await buildCache(engine),
    ];
    if (flags.json) this.printJson(usages);
    else this.print(formatListing({ items: usages, headers: HEADERS, columns: COLUMNS, row }, flags.format));
  }
}

function row({ type, total, active, sizeBytes, reclaimableBytes }: Usage): Record<string, unknown> {
  const hasPercent = sizeBytes > 0 && type !== BUILD_CACHE;
  const percent = hasPercent ? ` (${Math.floor((reclaimableBytes / sizeBytes) * 100)}%)` : '';
  return {
    Type: type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(sizeBytes, DIGITS),
    Reclaimable: `${humanSize(reclaimableBytes, DIGITS)}${percent}`,
  };
}

async function images(engine: Engine, call: Call): Promise<Usage> {
  const { imagesUsage } = await import('../../image/garbage/disk-usage.ts');
  const usage = await imagesUsage(engine, call);
  const { activeCount, sizeBytes, reclaimableBytes } = usage;
  return { type: 'Images', total: usage.images.length, active: activeCount, sizeBytes, reclaimableBytes };
}

async function containers(engine: Engine): Promise<Usage> {
  const { readContainers } = await import('../../container/record/catalog.ts');
  const { writtenBytes } = await import('../../container/record/size.ts');
  const { containerState } = await import('../../container/record/state.ts');
  const records = await readContainers(engine.paths);
  const sizes = await Promise.all(
    records.map(async (record) => ({
      bytes: await writtenBytes(engine, record),
      isRunning: containerState(engine.paths, record.id).status === 'running',
    })),
  );
  const idle = sizes.filter(({ isRunning }) => !isRunning);
  return {
    type: 'Containers',
    total: records.length,
    active: sizes.length - idle.length,
    sizeBytes: sum(sizes.map(({ bytes }) => bytes)),
    reclaimableBytes: sum(idle.map(({ bytes }) => bytes)),
  };
}

async function volumes(engine: Engine): Promise<Usage> {
  const { folderBytes, volumesInUse } = await import('../../container/record/volume-users.ts');
  const used = await volumesInUse(engine.paths);
  const all = await (await engine.volumes()).list();
  const sizes = await Promise.all(
    all.map(async ({ name, path }) => ({ bytes: await folderBytes(path), isUsed: used.has(name) })),
  );
  const idle = sizes.filter(({ isUsed }) => !isUsed);
  return {
    type: 'Local Volumes',
    total: all.length,
    active: all.length - idle.length,
    sizeBytes: sum(sizes.map(({ bytes }) => bytes)),
    reclaimableBytes: sum(idle.map(({ bytes }) => bytes)),
  };
}

/** Layers of the cache that an image has too count as the image's: pruning the cache does not free them. */
async function buildCache(engine: Engine): Promise<Usage> {
  const { openBuildCache } = await import('../../builder/solve/build-cache.ts');
  const { markLive } = await import('../../image/garbage/mark-live.ts');
  const { stackSize } = await import('../../image/catalog/layer-size.ts');
  const { containerRoots } = await import('../../container/record/roots.ts');
  const live = await markLive(await engine.store(), containerRoots(engine.paths).roots);
  const layers = new Map<string, { bytes: number; isUsed: boolean }>();
  let total = 0;
  for await (const { record } of openBuildCache(engine.paths.root).list()) {
    total++;
    const { layer } = record;
    if (layer !== undefined)
      layers.set(layer.diffId, {
        bytes: await stackSize(engine, [layer.diffId]),
        isUsed: live.diffIds.has(layer.diffId),
      });
  }
  const all = [...layers.values()];
  const sizeBytes = sum(all.map(({ bytes }) => bytes));
  const reclaimableBytes = sum(all.filter(({ isUsed }) => !isUsed).map(({ bytes }) => bytes));
  return {
    type: BUILD_CACHE,
    total,
    active: all.filter(({ isUsed }) => isUsed).length,
    sizeBytes,
    reclaimableBytes,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
