import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

interface Content {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** Uploads an OCI layout to a registry without authentication, by distribution-spec. `url` has no slash at its end. */
export async function seedRegistry(
  url: string,
  layout: string,
  repository: string,
  tag: string,
): Promise<void> {
  const [root] = readJson(join(layout, 'index.json')).manifests ?? [];
  if (root === undefined) throw new Error(`${layout} has no image`);
  await putManifest({ url, layout, repository }, root, tag);
}

interface Target {
  readonly url: string;
  readonly layout: string;
  readonly repository: string;
}

async function putManifest(target: Target, descriptor: Descriptor, name: string): Promise<void> {
  const path = blobPath(target.layout, descriptor.digest);
  const content = readJson(path);
  for (const child of content.manifests ?? []) await putManifest(target, child, child.digest);
  for (const blob of [...(content.layers ?? []), ...(content.config === undefined ? [] : [content.config])])
    await putBlob(target, blob);
  const answer = await fetch(`${target.url}/v2/${target.repository}/manifests/${name}`, {
    method: 'PUT',
    headers: { 'content-type': descriptor.mediaType },
    body: readFileSync(path),
  });
  if (!answer.ok) throw new Error(`manifest ${name}: ${answer.status} ${await answer.text()}`);
}

async function putBlob({ url, layout, repository }: Target, { digest }: Descriptor): Promise<void> {
  const there = await fetch(`${url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' });
  if (there.ok) return;
  const begun = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digest);
  const answer = await fetch(location, { method: 'PUT', body: readFileSync(blobPath(layout, digest)) });
  if (!answer.ok) throw new Error(`blob ${digest}: ${answer.status} ${await answer.text()}`);
}

function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'));
}

function readJson(path: string): Content {
  return JSON.parse(readFileSync(path, 'utf8')) as Content;
}
