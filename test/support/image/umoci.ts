import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageOf, layerOf, type RemoteImage } from '../registry/remote-image.ts';

/** Writes an image as an OCI layout with the tag `latest`, without any code of ocits. */
function writeLayout(folder: string, image: RemoteImage): void {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const contents = [
    ...image.blobs,
    ...image.manifests.map(({ descriptor, content }) => [descriptor.digest, content] as const),
  ];
  for (const [digest, content] of contents)
    writeFileSync(join(folder, 'blobs', digest.replace(':', '/')), content);
  const { platform: _, ...descriptor } = { platform: undefined, ...image.descriptor };
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor, annotations }] }),
  );
}

/** The tree that umoci makes of some layers, lowest first, below `folder`. Throws where umoci does. */
export function unpackByUmoci(folder: string, tars: readonly Buffer[]): string {
  const layout = join(folder, 'layout');
  const bundle = join(folder, 'bundle');
  writeLayout(layout, imageOf({ layers: tars.map((tar) => layerOf(tar)) }));
  execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, bundle], { stdio: 'pipe' });
  return join(bundle, 'rootfs');
}
