import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { beforeAll, expect, test } from 'vitest';
import { importImage } from '../../src/image/archive/import-image.ts';
import { saveImages } from '../../src/image/archive/save-images.ts';
import { findImage } from '../../src/image/catalog/find-image.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { hostPlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

/** Debian's golang-github-opencontainers-image-spec-dev. */
const SCHEMAS = '/usr/share/gocode/src/github.com/opencontainers/image-spec/schema';
const ajv = new Ajv.default({ strict: false, logger: false });

beforeAll(() => {
  for (const name of readdirSync(SCHEMAS).filter((file) => file.endsWith('.json'))) {
    // Draft 4 spells the ID otherwise, and these resolve nowhere.
    const text = readFileSync(join(SCHEMAS, name), 'utf8');
    const withoutIds = (key: string, value: unknown) =>
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value;
    const schema = JSON.parse(text, withoutIds);
    ajv.addSchema({ $id: name, ...schema }, name);
  }
});

function faultsOf(schema: string, path: string): unknown {
  const validate = ajv.getSchema(schema)!;
  return validate(JSON.parse(readFileSync(path, 'utf8'))) ? [] : validate.errors;
}

test('config, manifest, index and layout of an image are as the image spec has them', async () => {
  await using host = await temporaryHost();
  await importImage(host.engine, host.call, {
    input: { stream: oneChunk(tarBytes([{ path: 'hello', content: 'hello\n' }])) },
    platform: hostPlatform(),
    config: { Env: ['A=1'], Cmd: ['sh'], ExposedPorts: { '80/tcp': {} }, Volumes: { '/data': {} } },
    message: 'made for a test',
    created: new Date(0),
    reference: parseReference('made:1'),
  });
  const { id, manifestDescriptor } = (await findImage(host.store, 'made:1'))!;
  expect(faultsOf('config-schema.json', host.store.blobs.path(id))).toEqual([]);
  expect(faultsOf('image-manifest-schema.json', host.store.blobs.path(manifestDescriptor.digest))).toEqual(
    [],
  );
  const layout = join(host.folder, 'layout');
  await saveImages(host.engine, host.call, ['made:1'], { format: 'oci-dir', output: layout });
  const index = join(layout, 'index.json');
  expect(faultsOf('image-layout-schema.json', join(layout, 'oci-layout'))).toEqual([]);
  expect(faultsOf('image-index-schema.json', index)).toEqual([]);
  const [manifest] = JSON.parse(readFileSync(index, 'utf8')).manifests;
  const saved = join(layout, 'blobs/sha256', digestHex(manifest.digest));
  expect(faultsOf('image-manifest-schema.json', saved)).toEqual([]);
  expect(faultsOf('image-index-schema.json', saved)).not.toEqual([]);
});

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
