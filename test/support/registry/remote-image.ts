import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import type { RunConfig } from '../../../src/oci/image-config.ts';
import {
  type Compression,
  DOCKER_CONFIG,
  DOCKER_INDEX,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../../../src/oci/media-types.ts';
import type { Platform } from '../../../src/oci/platform.ts';
import { tarBytes } from '../layer/tar-bytes.ts';
import type { FakeRegistry } from './fake-registry.ts';

export interface RemoteLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** As the registry has it. */
  readonly content: Buffer;
}

/** An image, or an index of several, in memory. */
export interface RemoteImage {
  readonly descriptor: Descriptor;
  /** Manifests below an index come before it. */
  readonly manifests: readonly { readonly descriptor: Descriptor; readonly content: Buffer }[];
  /** Configs and layers. */
  readonly blobs: ReadonlyMap<Digest, Buffer>;
}

/** A tar of plain files and folders (names that end in a slash), in the order given. */
export function tarOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return tarBytes(
    Object.entries(files).map(([path, content]) => ({
      path,
      content,
      type: path.endsWith('/') ? 'directory' : 'file',
    })),
  );
}

/** A layer of a tar, compressed. */
export function layerOf(tar: Buffer, compression: Compression = 'gzip', docker = false): RemoteLayer {
  const compress = { none: (data: Buffer) => data, gzip: gzipSync, zstd: zstdCompressSync }[compression];
  const content = compress(tar);
  const oci = { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD }[compression];
  const mediaType = docker ? DOCKER_LAYER_GZIP : oci;
  return {
    descriptor: { mediaType, digest: digestOf(content), size: content.length },
    diffId: digestOf(tar),
    content,
  };
}

export interface ImageRecipe {
  readonly layers: readonly RemoteLayer[];
  readonly platform?: Platform;
  readonly config?: RunConfig;
  /** With Docker's media types. */
  readonly docker?: boolean;
  /** What each layer says that it was made by. */
  readonly createdBy?: readonly string[];
  /** Replaces the diffIDs, to make an image that lies. */
  readonly diffIds?: readonly Digest[];
}

/** An image of one platform; the platform is linux/amd64 where none is given. */
export function imageOf(recipe: ImageRecipe): RemoteImage {
  const { layers, docker = false } = recipe;
  const platform = recipe.platform ?? { os: 'linux', architecture: 'amd64' };
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      config: recipe.config ?? { Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: recipe.diffIds ?? layers.map(({ diffId }) => diffId) },
      history: layers.map((_, index) => ({ created_by: recipe.createdBy?.[index] ?? `layer ${index}` })),
    }),
  );
  const configDescriptor = {
    mediaType: docker ? DOCKER_CONFIG : OCI_CONFIG,
    digest: digestOf(config),
    size: config.length,
  };
  const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: configDescriptor,
      layers: layers.map(({ descriptor }) => descriptor),
    }),
  );
  const descriptor = { mediaType, digest: digestOf(manifest), size: manifest.length, platform };
  return {
    descriptor,
    manifests: [{ descriptor, content: manifest }],
    blobs: new Map([
      [configDescriptor.digest, config],
      ...layers.map(({ descriptor: { digest }, content }) => [digest, content] as const),
    ]),
  };
}

/** An index of images. */
export function indexOf(images: readonly RemoteImage[], docker = false): RemoteImage {
  const mediaType = docker ? DOCKER_INDEX : OCI_INDEX;
  const content = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, manifests: images.map(({ descriptor }) => descriptor) }),
  );
  const descriptor = { mediaType, digest: digestOf(content), size: content.length };
  return {
    descriptor,
    manifests: [...images.flatMap(({ manifests }) => manifests), { descriptor, content }],
    blobs: new Map(images.flatMap(({ blobs }) => [...blobs])),
  };
}

/** Uploads an image by plain HTTP, without any code of ocits. `headers` may carry credentials. */
export async function uploadImage(
  url: string,
  repository: string,
  tag: string,
  image: RemoteImage,
  headers: Record<string, string> = {},
): Promise<void> {
  for (const [digest, content] of image.blobs) {
    const started = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
    const location = new URL(started.headers.get('location') ?? '', url);
    location.searchParams.set('digest', digest);
    const type = { 'content-type': 'application/octet-stream' };
    await expectCreated(
      await fetch(location, {
        method: 'PUT',
        body: new Uint8Array(content),
        headers: { ...headers, ...type },
      }),
    );
  }
  for (const { descriptor, content } of image.manifests) {
    const target = descriptor === image.descriptor ? tag : descriptor.digest;
    const type = { 'content-type': descriptor.mediaType };
    const to = `${url}/v2/${repository}/manifests/${target}`;
    await expectCreated(
      await fetch(to, { method: 'PUT', body: new Uint8Array(content), headers: { ...headers, ...type } }),
    );
  }
}

async function expectCreated(response: Response): Promise<void> {
  const text = await response.text();
  if (response.status !== 201) throw new Error(`upload: ${response.status} ${text}`);
}

/** Puts an image into a fake registry; its last manifest gets the tag. */
export function addToFake(fake: FakeRegistry, tag: string | undefined, image: RemoteImage): void {
  for (const content of image.blobs.values()) fake.addBlob(content);
  for (const { descriptor, content } of image.manifests) {
    fake.addManifest(descriptor === image.descriptor ? tag : undefined, content, descriptor.mediaType);
  }
}
