import { type Call, withNews, withSignal } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError } from '../../errors.ts';
import { chooseImage } from '../../image/catalog/choose-image.ts';
import type { Image } from '../../image/image.ts';
import type { LayerDepth } from '../../image/transfer/pull-image.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { exactName, formatReference, type Reference } from '../../oci/reference.ts';
import type { LayerEvent, TaskNews } from '../../progress.ts';
import type { Store } from '../../store/store.ts';
import type { ImageOrigin } from '../plan/graph.ts';
import type { BuildProgress, ShownWork } from '../request/build-progress.ts';
import { imageKey } from '../solve/step-graph.ts';
import type { Tree } from '../tree/tree.ts';
import type { BuildJob } from './build-job.ts';

/**
 * The images that a build starts from or copies from. Only manifest and configuration are fetched for planning; the
 * layers come when a step needs what is in them.
 */
export class BaseImages {
  readonly #engine: Engine;
  readonly #call: Call;
  readonly #store: Store;
  readonly #progress: BuildProgress;
  readonly #pullsAlways: boolean;
  readonly #bases = new Map<string, Promise<Base>>();
  readonly #unfinished = new Set<ShownWork>();

  constructor(
    { engine, call, store }: Pick<BuildJob, 'engine' | 'call' | 'store'>,
    progress: BuildProgress,
    pullsAlways: boolean,
  ) {
    this.#engine = engine;
    this.#call = call;
    this.#store = store;
    this.#progress = progress;
    this.#pullsAlways = pullsAlways;
  }

  /** Manifest and configuration of an image, each looked up once a build. Throws as `pullImage`. */
  async resolve(origin: ImageOrigin, signal: AbortSignal): Promise<Image> {
    const key = imageKey(origin);
    let base = this.#bases.get(key);
    if (base === undefined) {
      const label = `[internal] load metadata for ${formatReference(origin.reference)}`;
      base = this.#progress.during(label, async () => {
        const there = this.#pullsAlways ? undefined : await this.#findThere(origin);
        return there ?? (await this.#pull(origin, signal));
      });
      this.#bases.set(key, base);
    }
    return (await base).image;
  }

  /** An image that is there is found without loading what pulling needs. */
  async #findThere({ reference, platform }: ImageOrigin): Promise<Base | undefined> {
    const root = await this.#store.refs.resolve(reference);
    if (root === undefined) return undefined;
    try {
      const image = await chooseImage(this.#store, root, platform);
      return image === undefined ? undefined : { image, root };
    } catch (error) {
      // What is damaged is pulled again.
      if (isOcitsError(error)) return undefined;
      throw error;
    }
  }

  async #pull({ reference, platform }: ImageOrigin, signal: AbortSignal): Promise<Base> {
    const { pullImage } = await import('../../image/transfer/pull-image.ts');
    const policy = this.#pullsAlways ? 'always' : 'missing';
    const call = withNews(withSignal(this.#call, signal), (news) => (isOfPull(news) ? undefined : news));
    return await pullImage(this.#engine, call, {
      reference: exactName(reference),
      platform,
      policy,
      depth: 'config',
    });
  }

  /** The tree of an image that was resolved. `label` is what the stage's FROM is shown as. */
  async tree(origin: ImageOrigin, label: string | undefined): Promise<Tree> {
    const base = await this.#bases.get(imageKey(origin))!;
    const { image } = base;
    const shown = this.#progress.begin(label ?? `FROM ${formatReference(origin.reference)}`);
    const isThere = await this.#hasBlobs(image);
    if (isThere) shown.end('cached');
    else this.#unfinished.add(shown);
    const fetched = new Map<LayerDepth, Promise<void>>();
    const { diff_ids: diffIds } = image.config.rootfs;
    return {
      layers: image.manifest.layers.map((descriptor, index) => ({ diffId: diffIds[index]!, descriptor })),
      createdAt: image.config.created,
      fetch: (depth, signal) => {
        const known = fetched.get(depth) ?? this.#fetch(base, origin, { depth, shown, signal });
        fetched.set(depth, known);
        return known;
      },
    };
  }

  /** Ends what is shown of the images whose layers no step has needed. */
  finish(): void {
    for (const shown of this.#unfinished) shown.end('done');
    this.#unfinished.clear();
  }

  /** A base that is here in full gets its name, so that the next build need not ask for it. */
  async #name(reference: Reference, root: Descriptor): Promise<void> {
    const { domain, path, digest } = reference;
    const byDigest = { domain, path, digest: root.digest };
    await this.#store.refs.putAll(digest === undefined ? [reference, byDigest] : [byDigest], root);
  }

  async #hasBlobs({ manifest }: Image): Promise<boolean> {
    const { blobs } = this.#store;
    const found = await Promise.all(manifest.layers.map(({ digest }) => blobs.stat(digest)));
    return found.every((blob, index) => blob?.sizeBytes === manifest.layers[index]!.size);
  }

  async #fetch(
    { image, root }: Base,
    { reference }: ImageOrigin,
    { depth, shown, signal }: { depth: LayerDepth; shown: ShownWork; signal: AbortSignal },
  ): Promise<void> {
    const { ensureLayers } = await import('../../image/transfer/pull-image.ts');
    // What happens to layers is shown below the FROM that needs them.
    const call = withNews(withSignal(this.#call, signal), (news) => {
      if (news.type === 'layer') showLayer(news, shown);
      return isOfPull(news) ? undefined : news;
    });
    try {
      await ensureLayers(this.#engine, call, image, { reference, depth });
      await this.#name(reference, root);
      if (depth === 'unpacked' && this.#unfinished.delete(shown)) shown.end('done');
    } catch (error) {
      if (this.#unfinished.delete(shown)) shown.fail(error, signal);
      throw error;
    }
  }
}

/** An image, and what its name points at. */
interface Base {
  readonly image: Image;
  readonly root: Descriptor;
}

/** The events of a pull that a build shows in its own way. */
function isOfPull({ type }: TaskNews): boolean {
  return type === 'layer' || type === 'image';
}

function showLayer({ digest, state, bytes, totalBytes }: Omit<LayerEvent, 'task'>, shown: ShownWork): void {
  switch (state) {
    case 'downloading':
    case 'downloaded':
      shown.status(digest, state === 'downloaded', bytes ?? totalBytes, totalBytes);
      break;
    case 'unpacking':
    case 'unpacked':
      shown.status(`extracting ${digest}`, state === 'unpacked', bytes);
      break;
    default:
  }
}
