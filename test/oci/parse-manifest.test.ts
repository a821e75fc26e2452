import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import {
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { parseImageConfig } from '../../src/oci/parse-image-config.ts';
import { MANIFEST_LIMIT_BYTES, parseManifestOrIndex } from '../../src/oci/parse-manifest.ts';

const CONFIG = { mediaType: OCI_CONFIG, digest: digestOf('config'), size: 6 };
const LAYER = { mediaType: OCI_LAYER_GZIP, digest: digestOf('layer'), size: 5 };
const MANIFEST = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: CONFIG, layers: [LAYER] };
const INDEX = {
  schemaVersion: 2,
  manifests: [
    {
      mediaType: OCI_MANIFEST,
      digest: digestOf('m'),
      size: 1,
      platform: { os: 'linux', architecture: 'arm' },
    },
  ],
};

function parse(value: unknown, mediaType: string = OCI_MANIFEST) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return parseManifestOrIndex(value instanceof Uint8Array ? value : Buffer.from(text), mediaType);
}

test('reads a manifest and an index, and drops fields that no spec names', () => {
  expect(parse({ ...MANIFEST, extra: 1, annotations: { a: 'b' } })).toEqual({
    kind: 'manifest',
    manifest: { ...MANIFEST, annotations: { a: 'b' } },
  });
  expect(parse(INDEX, OCI_INDEX)).toEqual({ kind: 'index', index: INDEX });
  expect(parse({ ...INDEX, mediaType: DOCKER_INDEX }, DOCKER_INDEX).kind).toBe('index');
});

test.each<[string, unknown, string?]>([
  ['both a manifest and an index', { ...MANIFEST, manifests: [] }],
  ['both, announced as an index', { ...MANIFEST, mediaType: OCI_INDEX, manifests: [] }, OCI_INDEX],
  ['an index announced as a manifest', INDEX],
  ['a manifest announced as an index', { ...MANIFEST, mediaType: undefined }, OCI_INDEX],
  ['media types that disagree', MANIFEST, DOCKER_MANIFEST],
  ['a schema 1 manifest in disguise', { ...MANIFEST, fsLayers: [] }],
  ['no JSON', '{"schemaVersion":2'],
  ['a list', '[]'],
  ['null', 'null'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ['no config', { ...MANIFEST, config: undefined }],
  ['layers that are no list', { ...MANIFEST, layers: { length: 1 } }],
  ['a digest with a path', { ...MANIFEST, layers: [{ ...LAYER, digest: 'sha256:../../x' }] }],
  ['an unknown algorithm', { ...MANIFEST, layers: [{ ...LAYER, digest: `md5:${'0'.repeat(32)}` }] }],
  ['upper-case hex', { ...MANIFEST, layers: [{ ...LAYER, digest: `sha256:${'A'.repeat(64)}` }] }],
  ['a negative size', { ...MANIFEST, layers: [{ ...LAYER, size: -1 }] }],
  ['a size with a fraction', { ...MANIFEST, layers: [{ ...LAYER, size: 1.5 }] }],
  ['a size as text', { ...MANIFEST, layers: [{ ...LAYER, size: '5' }] }],
  ['a size beyond 2^53', { ...MANIFEST, layers: [{ ...LAYER, size: 2 ** 60 }] }],
  ['no media type', { ...MANIFEST, layers: [{ ...LAYER, mediaType: '' }] }],
  ['annotations that are no texts', { ...MANIFEST, annotations: { a: 1 } }],
  ['too many layers', { ...MANIFEST, layers: Array.from({ length: 1001 }, () => LAYER) }],
  ['more than 4 MiB', `${JSON.stringify(MANIFEST)}${' '.repeat(MANIFEST_LIMIT_BYTES)}`],
])('refuses %s', (_name, value, mediaType) => {
  expect(() => parse(value, mediaType)).toThrowError(expect.objectContaining({ code: 'hostile' }));
});

test('another version or type is unsupported', () => {
  const unsupported = expect.objectContaining({ code: 'unsupported' });
  expect(() => parse({ ...MANIFEST, schemaVersion: 1 })).toThrowError(unsupported);
  expect(() => parse(MANIFEST, 'application/json')).toThrowError(unsupported);
});

const IMAGE = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf('a')] } };

function parseConfig(value: unknown) {
  return parseImageConfig(Buffer.from(JSON.stringify(value)));
}

test('reads an image config, Docker’s nulls included', () => {
  const config = {
    ...IMAGE,
    created: '2024-01-01T00:00:00Z',
    config: {
      Env: ['A=b'],
      Cmd: null,
      Labels: null,
      Volumes: { '/data': {} },
      Hostname: 'x',
      Healthcheck: { Test: ['NONE'] },
    },
    history: [
      { created_by: 'x', empty_layer: true },
      { comment: 'y', empty_layer: false },
    ],
    container: 'unknown fields go',
  };
  expect(parseConfig(config)).toEqual({
    ...IMAGE,
    created: '2024-01-01T00:00:00Z',
    config: { Env: ['A=b'], Volumes: { '/data': {} }, Healthcheck: { Test: ['NONE'] } },
    history: [{ created_by: 'x', empty_layer: true }, { comment: 'y' }],
  });
  expect(parseConfig(IMAGE)).toEqual(IMAGE);
});

test.each<[string, object]>([
  ['no os', { os: undefined }],
  ['no architecture', { architecture: 5 }],
  ['rootfs of another type', { rootfs: { type: 'x', diff_ids: [] } }],
  ['no rootfs', { rootfs: null }],
  ['a diffID that is none', { rootfs: { type: 'layers', diff_ids: ['x'] } }],
  ['Env that is a text', { config: { Env: 'A=b' } }],
  ['Env with a NUL', { config: { Env: ['A=b\0c'] } }],
  ['Env with a number', { config: { Env: [1] } }],
  ['Cmd that is a text', { config: { Cmd: 'sh' } }],
  ['User that is a number', { config: { User: 0 } }],
  ['labels with a list', { config: { Labels: { a: [] } } }],
  ['volumes as a list', { config: { Volumes: ['/x'] } }],
  ['a volume with a NUL', { config: { Volumes: { '/x\0': {} } } }],
  ['config that is a text', { config: 'x' }],
  ['history that is no list', { history: {} }],
  ['a history entry that is none', { history: [null] }],
])('refuses an image config with %s', (_name, change) => {
  expect(() => parseConfig({ ...IMAGE, ...change })).toThrowError(
    expect.objectContaining({ code: 'hostile' }),
  );
});

test('a label may be called __proto__', () => {
  const config = parseImageConfig(
    Buffer.from(JSON.stringify({ ...IMAGE, config: {} }).replace('{}', '{"Labels":{"__proto__":"x"}}')),
  );
  expect(Object.entries(config.config?.Labels ?? {})).toEqual([['__proto__', 'x']]);
});
