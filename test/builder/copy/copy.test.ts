import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isOcitsError } from '../../../src/errors.ts';
import { BASE, COPY_CASES, makeContext } from '../../support/builder/copy-fixture.ts';
import { runCopy, temporaryFolder } from '../../support/builder/copy-run.ts';

const RECORDED = JSON.parse(
  readFileSync(new URL('../../../testdata/copy/buildkit.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly string[] | 'error'>>;

/** Where ours is not what the recorded BuildKit makes, and why. */
const OURS: Readonly<Record<string, { readonly why: string; readonly lines: readonly string[] }>> = {
  'ADD tars/over.tar /': {
    why: 'a folder in the place of a file needs no opaque marker: nothing lies below it',
    lines: ['f 600 1:1 dst=now a file', 'd 700 1:1 file', 'f 600 1:1 file/in=in'],
  },
};

describe('what BuildKit makes of it', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeAll(() => {
    folder = temporaryFolder();
    mkdirSync(join(folder.path, 'context'));
    makeContext(join(folder.path, 'context'));
  });
  afterAll(() => folder[Symbol.dispose]());

  test.each(COPY_CASES)('%s', async (lines) => {
    const scratch = folder.path;
    const request = {
      lines,
      context: join(folder.path, 'context'),
      base: BASE,
      from: { base: BASE },
      scratch,
    };
    const run = await runCopy(request).catch((error: unknown) => {
      if (!isOcitsError(error)) throw error;
      expect(error.location, error.message).toMatchObject({ file: 'Dockerfile' });
      return 'error' as const;
    });
    const got = run === 'error' ? 'error' : run.lines;
    expect(got).toEqual(OURS[lines]?.lines ?? RECORDED[lines]);
  });
});
