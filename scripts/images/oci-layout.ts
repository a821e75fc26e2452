import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Blob {
  readonly digest: string;
  readonly size: number;
}

export interface LayerBlob extends Blob {
  readonly diffId: string;
}

/** What an image is made of: folders whose trees become layers, and the config's run part. */
export interface ImageRecipe {
  readonly name: string;
  readonly layers: readonly { readonly folder: string; readonly createdBy: string }[];
  readonly config: object;
}

const CREATED = '2026-01-01T00:00:00Z';
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

/** Writes an OCI layout with one image behind an index, as registries have official images. */
export function writeLayout(layout: string, recipe: ImageRecipe): void {
  const temporary = `${layout}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(join(temporary, 'blobs/sha256'), { recursive: true });
  const layers = recipe.layers.map(({ folder }) => writeLayer(temporary, folder));
  const config = putJson(temporary, {
    created: CREATED,
    architecture: ARCHITECTURE,
    os: 'linux',
    config: recipe.config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: recipe.layers.map(({ createdBy }) => ({ created: CREATED, created_by: createdBy })),
  });
  const manifest = putJson(temporary, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size,
    })),
  });
  const platform = { architecture: ARCHITECTURE, os: 'linux' };
  const index = putJson(temporary, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest, platform }],
  });
  writeFileSync(join(temporary, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const annotations = { 'org.opencontainers.image.ref.name': recipe.name };
  const entry = { mediaType: 'application/vnd.oci.image.index.v1+json', ...index, annotations };
  writeFileSync(join(temporary, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  rmSync(layout, { recursive: true, force: true });
  renameSync(temporary, layout);
}

function writeLayer(layout: string, folder: string): LayerBlob {
  const tar = join(layout, 'layer.tar');
  const names = ['--sort=name', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--format=pax'];
  const pax = ['--pax-option=delete=atime,delete=ctime'];
  execFileSync('tar', ['-C', folder, ...names, ...pax, '-cf', tar, '.'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const diffId = sha256File(tar);
  execFileSync('gzip', ['-n', '-6', '-f', tar]);
  const digest = sha256File(`${tar}.gz`);
  const target = join(layout, 'blobs/sha256', digest.slice('sha256:'.length));
  renameSync(`${tar}.gz`, target);
  return { digest, diffId, size: readFileSync(target).length };
}

function sha256File(path: string): string {
  return `sha256:${execFileSync('sha256sum', [path]).toString().slice(0, 64)}`;
}

function putJson(layout: string, value: object): Blob {
  const content = Buffer.from(JSON.stringify(value));
  const hex = createHash('sha256').update(content).digest('hex');
  writeFileSync(join(layout, 'blobs/sha256', hex), content);
  return { digest: `sha256:${hex}`, size: content.length };
}
