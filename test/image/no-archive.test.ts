import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { importImage } from '../../src/image/archive/import-image.ts';
import { loadImages } from '../../src/image/archive/load-images.ts';
import type { ArchiveInput } from '../../src/image/archive/open-archive.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const STDIN = 'the archive on standard input';
const TEXT = Buffer.from('hello\n'.repeat(500));
/** Names that are no archive of images, and what they hold. */
const NO_IMAGES: readonly (readonly [what: string, content: Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['a text', TEXT],
  ['a text in gzip', gzipSync(TEXT)],
  ['a text in zstd', zstdCompressSync(TEXT)],
  ['a gzip that is cut off', gzipSync(TEXT).subarray(0, 20)],
  ['half a tar', tarBytes([{ path: 'x', content: 'x'.repeat(5000) }]).subarray(0, 2000)],
];
const OTHER_TAR = ['the tar of other files', tarBytes([{ path: 'x', content: 'x' }])] as const;

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: Error) => error,
  );
}

/** What went wrong, by the file's path and by a stream. */
async function failures(content: Buffer, work: (input: ArchiveInput, host: Host) => Promise<unknown>) {
  await using host = await temporaryHost();
  const path = join(host.folder, 'given.tar');
  await writeFile(path, content);
  const byPath = await failureOf(work({ path }, host));
  const byStream = await failureOf(work({ stream: Readable.from([content]) }, host));
  return { path, byPath, byStream, store: host.store.paths.root };
}

type Host = Awaited<ReturnType<typeof temporaryHost>>;

describe.each([
  [
    'load',
    [...NO_IMAGES, OTHER_TAR],
    (input: ArchiveInput, host: Host) => loadImages(host.engine, host.call, input),
  ],
  [
    'import',
    NO_IMAGES.slice(1),
    (input: ArchiveInput, host: Host) => {
      const options = { input, platform: parsePlatform('linux/amd64'), message: '', created: new Date(0) };
      return importImage(host.engine, host.call, options);
    },
  ],
] as const)('%s names what was given, and no file of its own:', (_command, cases, work) => {
  test.each(cases)('%s', async (_what, content) => {
    const { path, byPath, byStream, store } = await failures(content, work);
    expect(byPath).toMatchObject({ code: 'corrupt', message: expect.stringContaining(path) });
    expect(byStream).toMatchObject({ code: 'corrupt', message: expect.stringContaining(STDIN) });
    for (const { message } of [byPath, byStream]) expect(message.replaceAll(path, '')).not.toContain(store);
  });
});

test('load names a folder that is no layout', async () => {
  await using host = await temporaryHost();
  const path = join(host.folder, 'empty');
  await mkdir(path);
  await expect(loadImages(host.engine, host.call, { path })).rejects.toMatchObject({
    code: 'corrupt',
    message: `${path} is neither a docker archive nor an OCI layout`,
  });
});
