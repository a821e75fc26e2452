import { expect, test } from 'vitest';
import {
  DOCKER_CONFIG,
  DOCKER_INDEX,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  DOCKER_MANIFEST,
  isIndexType,
  isManifestType,
  layerCompression,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
  ociMediaType,
} from '../../src/oci/media-types.ts';

test.each([
  [OCI_LAYER, 'none'],
  [OCI_LAYER_GZIP, 'gzip'],
  [OCI_LAYER_ZSTD, 'zstd'],
  [DOCKER_LAYER_GZIP, 'gzip'],
  [DOCKER_LAYER_ZSTD, 'zstd'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
  [OCI_CONFIG, undefined],
  ['constructor', undefined],
  ['', undefined],
])('%s is compressed as %s', (mediaType, compression) => {
  expect(layerCompression(mediaType)).toBe(compression);
});

test('indexes and manifests are told apart', () => {
  expect([OCI_INDEX, DOCKER_INDEX].every(isIndexType)).toBe(true);
  expect([OCI_MANIFEST, DOCKER_MANIFEST].every(isManifestType)).toBe(true);
  expect([OCI_MANIFEST, DOCKER_MANIFEST, OCI_LAYER, ''].some(isIndexType)).toBe(false);
  expect([OCI_INDEX, DOCKER_INDEX, OCI_CONFIG, ''].some(isManifestType)).toBe(false);
});

test("Docker's types have their match among OCI's; others stay", () => {
  for (const [docker, oci] of [
    [DOCKER_CONFIG, OCI_CONFIG],
    [DOCKER_LAYER, OCI_LAYER],
    [DOCKER_LAYER_GZIP, OCI_LAYER_GZIP],
    [DOCKER_LAYER_ZSTD, OCI_LAYER_ZSTD],
    [OCI_LAYER, OCI_LAYER],
    ['constructor', 'constructor'],
  ] as const) {
    expect(ociMediaType(docker)).toBe(oci);
  }
});
