import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import type { ImageConfig, RunConfig } from '../../../src/oci/image-config.ts';
import type { Manifest } from '../../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { hostPlatform, type Platform } from '../../../src/oci/platform.ts';
import { parseReference, withDefaultTag } from '../../../src/oci/reference.ts';
import type { Store } from '../../../src/store/store.ts';
import { type TarMember, tarBytes } from '../layer/tar-bytes.ts';

const BUSYBOX = '/bin/busybox';

export interface TestImage {
  readonly reference: string;
  readonly id: Digest;
  readonly descriptor: Descriptor;
  readonly diffIds: readonly Digest[];
}

export interface ImageParts {
  /** A name, or undefined for an image that only its digest names. */
  readonly reference?: string;
  /** Each layer as an uncompressed tar, lowest first. */
  readonly layers: readonly Uint8Array[];
  readonly config?: RunConfig;
  readonly platform?: Platform;
  readonly created?: string;
}

/** Puts an image into a store as it would be after a pull, layers not unpacked. */
export async function addImage(store: Store, parts: ImageParts): Promise<TestImage> {
  const platform = parts.platform ?? hostPlatform();
  const diffIds = parts.layers.map((layer) => digestOf(layer));
  const config: ImageConfig = {
    created: parts.created ?? '2024-01-02T03:04:05Z',
    ...platform,
    config: parts.config ?? {},
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: parts.layers.map(() => ({ created: '2024-01-02T03:04:05Z', created_by: 'test' })),
  };
  const layers: Descriptor[] = [];
  for (const layer of parts.layers) layers.push(await putBlob(store, layer, OCI_LAYER));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: await putBlob(store, JSON.stringify(config), OCI_CONFIG),
    layers,
  };
  const descriptor = await putBlob(store, JSON.stringify(manifest), OCI_MANIFEST);
  if (parts.reference === undefined) await store.refs.putAnonymous(descriptor);
  else await store.refs.put(withDefaultTag(parseReference(parts.reference)), descriptor);
  return { reference: parts.reference ?? descriptor.digest, id: manifest.config.digest, descriptor, diffIds };
}

async function putBlob(store: Store, content: Uint8Array | string, mediaType: string): Promise<Descriptor> {
  const { digest, sizeBytes } = await store.blobs.put(content);
  return { mediaType, digest, size: sizeBytes };
}

export interface BusyboxOptions {
  readonly reference?: string;
  readonly config?: RunConfig;
  /** Further layers on top of busybox, as members of a tar each. */
  readonly layers?: readonly (readonly TarMember[])[];
}

/** busybox with all its commands, root, `nobody` and `www-data`: made of the host's /bin/busybox. */
export async function addBusyboxImage(store: Store, options: BusyboxOptions = {}): Promise<TestImage> {
  const extra = (options.layers ?? []).map((members) => tarBytes(members));
  return await addImage(store, {
    reference: options.reference ?? 'busybox',
    layers: [await busyboxLayer(), ...extra],
    config: { Env: [DEFAULT_PATH], Cmd: ['sh'], ...options.config },
  });
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

let madeLayer: Promise<Buffer> | undefined;

/** The layer as a tar; the same bytes each time in one process, and for one busybox on any day. */
export function busyboxLayer(): Promise<Buffer> {
  madeLayer ??= makeLayer();
  return madeLayer;
}

async function makeLayer(): Promise<Buffer> {
  const { stdout } = await promisify(execFile)(BUSYBOX, ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  const folders = [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sys',
    'tmp',
    'usr',
    'usr/bin',
    'var',
    'var/www',
  ];
  return tarBytes([
    ...folders.map(
      (path) => ({ path: `${path}/`, type: 'directory', mode: path === 'tmp' ? 0o1777 : 0o755 }) as const,
    ),
    { path: 'bin/busybox', mode: 0o755, content: await readFile(BUSYBOX) },
    ...applets.map(
      (name) => ({ path: `bin/${name}`, type: 'hardlink', target: 'bin/busybox', mode: 0o755 }) as const,
    ),
    { path: 'usr/bin/env', type: 'symlink', target: '../../bin/env', mode: 0o777 },
    { path: 'etc/passwd', content: PASSWD },
    { path: 'etc/group', content: GROUP },
  ]);
}

const PASSWD = `root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;
const GROUP = `root:x:0:
www-data:x:33:
staff:x:50:www-data
nobody:x:65534:
`;
