import type { Call } from '../../call.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Index } from '../../oci/manifest.ts';
import { MANIFEST_LIMIT_BYTES, parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import { INDEX_DEPTH_LIMIT, isAttestation } from '../catalog/choose-image.ts';
import { choosePlatform, type WantedPlatform } from '../catalog/choose-platform.ts';
import { checkAnnouncedSize, isIndex } from '../catalog/read-image.ts';
import type { ImageSink, ImageSource, ManifestContent } from './image-source.ts';

/**
 * Which images of an index are wanted. `all`: whatever it lists, each of which must be there; `present`: the images
 * that the source has; `platform`: one.
 */
export type Selection =
  | { readonly kind: 'all' | 'present' }
  | ({ readonly kind: 'platform' } & WantedPlatform);

/**
 * The manifests to copy, each followed by the indexes that list it and nothing after it: `root` comes last. Where the
 * sink would get only one image of an index, and takes no such index, that image comes alone. Throws `wrong-platform`,
 * `not-found`, `hostile` for indexes within indexes without end.
 */
export async function* selectManifests(
  source: ImageSource,
  sink: Pick<ImageSink, 'takesPartialIndex'>,
  root: Descriptor,
  selection: Selection,
  call: Call,
): AsyncGenerator<ManifestContent, void, undefined> {
  if (selection.kind === 'platform') yield* onePlatform(source, sink, root, selection, call);
  else if (!isIndex(root)) yield await fetchManifest(source, root, call);
  else if (selection.kind === 'all') yield* all(source, root, call, { seen: new Set(), depth: 0 });
  else yield* present(source, root, call);
}

async function* onePlatform(
  source: ImageSource,
  sink: Pick<ImageSink, 'takesPartialIndex'>,
  root: Descriptor,
  wanted: WantedPlatform,
  call: Call,
): AsyncGenerator<ManifestContent, void, undefined> {
  const indexes: ManifestContent[] = [];
  let descriptor = root;
  while (isIndex(descriptor)) {
    if (indexes.length >= INDEX_DEPTH_LIMIT) throw endless(wanted.name);
    const index = await fetchManifest(source, descriptor, call);
    indexes.unshift(index);
    descriptor = choosePlatform(indexOf(index).manifests, wanted);
  }
  yield await fetchManifest(source, descriptor, call);
  if (sink.takesPartialIndex) yield* indexes;
}

async function* all(
  source: ImageSource,
  descriptor: Descriptor,
  call: Call,
  { seen, depth }: { readonly seen: Set<Digest>; readonly depth: number },
): AsyncGenerator<ManifestContent, void, undefined> {
  // Each index is read once: one that lists the next a thousand times, which lists a third a thousand times, would take
  // for ever.
  if (seen.has(descriptor.digest)) return;
  seen.add(descriptor.digest);
  if (depth > INDEX_DEPTH_LIMIT) throw endless(descriptor.digest);
  const manifest = await fetchManifest(source, descriptor, call);
  if (isIndex(descriptor)) {
    for (const child of indexOf(manifest).manifests)
      yield* all(source, child, call, { seen, depth: depth + 1 });
  }
  yield manifest;
}

async function* present(
  source: ImageSource,
  root: Descriptor,
  call: Call,
): AsyncGenerator<ManifestContent, void, undefined> {
  const index = await fetchManifest(source, root, call);
  const seen = new Set<Digest>();
  let found = 0;
  for (const child of indexOf(index).manifests) {
    if (isAttestation(child) || isIndex(child) || seen.has(child.digest)) continue;
    seen.add(child.digest);
    const manifest = await fetchManifest(source, child, call).catch((error: unknown) => {
      if (isOcitsError(error, 'not-found')) return undefined;
      throw error;
    });
    if (manifest === undefined) continue;
    found++;
    yield manifest;
  }
  if (found === 0) throw new OcitsError('not-found', `none of the images of ${root.digest} is there`);
  yield index;
}

async function fetchManifest(
  source: ImageSource,
  descriptor: Descriptor,
  call: Call,
): Promise<ManifestContent> {
  // What is at hand may be a layer that an index passes for a manifest.
  checkAnnouncedSize(descriptor, MANIFEST_LIMIT_BYTES);
  const known = await source.atHand?.(descriptor);
  return { descriptor, content: known ?? (await source.fetchManifest(descriptor, call)) };
}

function indexOf({ descriptor, content }: ManifestContent): Index {
  const parsed = parseManifestOrIndex(content, descriptor.mediaType);
  if (parsed.kind === 'index') return parsed.index;
  throw new OcitsError('hostile', `${descriptor.digest} should be an index, and is a manifest`);
}

function endless(name: string): OcitsError {
  return new OcitsError('hostile', `${name} has indexes within indexes without end`);
}
