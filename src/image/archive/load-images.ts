import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarName, type Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { copyImage } from '../transfer/copy-image.ts';
import type { Selection } from '../transfer/select-manifests.ts';
import { storeSink } from '../transfer/store-source.ts';
import { dockerArchiveImages } from './docker-archive-source.ts';
import type { FileSet } from './file-set.ts';
import type { ImageCollection } from './image-collection.ts';
import { DOCKER_MANIFEST_FILE, LAYOUT_FILE } from './layout-sink.ts';
import { layoutImages } from './layout-source.ts';
import { type ArchiveInput, inputLabel, openImageFiles } from './open-archive.ts';

/** One image (or an index of several) that was in an archive. */
export interface ArchivedImage {
  readonly names: readonly Reference[];
  /** The IDs of the images; several where it is an index of several platforms. */
  readonly ids: readonly Digest[];
}

/**
 * The room of images in files: the archives of Docker and of OCI, and the folders of OCI layouts. They are read as a
 * set of named files (`file-set`) and written to a target of such (`file-target`), whichever of them it is. The commands
 * `save`, `load`, `import` and `copy` call it, and programs.
 *
 *     await saveImages(engine, call, ['app:1'], { format: 'oci-archive', output: 'app.tar' });
 *     const [first] = await loadImages(engine, call, { path: 'app.tar' });
 *
 * Takes all images of a docker archive, an OCI archive or the folder of an OCI layout into the store; the format is
 * found out, as is gzip and zstd. Layers that are there in any form are not stored again. All that is stored is
 * verified. With a platform, only the image for it. Throws `corrupt`, `hostile`, `digest-mismatch`, `unsupported`, `wrong-platform`.
 */
export async function loadImages(
  engine: Engine,
  call: Call,
  input: ArchiveInput,
  platform?: Platform,
): Promise<readonly ArchivedImage[]> {
  const store = await engine.store();
  await using _lease = await store.leases.shared(call.signal);
  await using files = await openImageFiles(store, input, call.signal);
  const { source, images } = await openCollection(store, files, inputLabel(input));
  const loaded: ArchivedImage[] = [];
  for (const image of images) {
    const name = image.names[0] === undefined ? image.root.digest : familiarName(image.names[0]);
    const select: Selection | undefined =
      platform === undefined ? undefined : { kind: 'platform', platform, name };
    const { images: copied } = await copyImage(source, storeSink(store), { ...image, select }, call);
    loaded.push({ names: image.names, ids: copied.map(({ id }) => id) });
    call.emit({ type: 'image', state: 'loaded', reference: name, descriptor: image.root });
  }
  return loaded;
}

/** Docker's archives are OCI layouts as well since version 25, but only `manifest.json` names all images surely. */
async function openCollection(store: Store, files: FileSet, label: string): Promise<ImageCollection> {
  if ((await files.sizeOf(DOCKER_MANIFEST_FILE)) !== undefined) {
    return await dockerArchiveImages(files, async (diffId) => await storedForm(store, diffId));
  }
  if ((await files.sizeOf(LAYOUT_FILE)) !== undefined) return await layoutImages(files);
  throw new OcitsError('corrupt', `${label} is neither a docker archive nor an OCI layout`, {
    hint: 'the tar of a root file system becomes an image with: ocits import',
  });
}

/** A compressed form that is in the store, where the uncompressed tar is not. */
async function storedForm(store: Store, diffId: Digest): Promise<Descriptor | undefined> {
  if ((await store.blobs.stat(diffId)) !== undefined) return undefined;
  for (const form of (await store.compressed.get(diffId)).forms) {
    if ((await store.blobs.stat(form.digest))?.sizeBytes === form.size) return form;
  }
  return undefined;
}
