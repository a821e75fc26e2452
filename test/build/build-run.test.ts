import { describe, expect, it } from 'vitest';
import { buildHost } from '../support/build-host.ts';

describe('RUN', () => {
  it('runs on the base image, and the second build takes all from the cache', async () => {
    await using made = await buildHost();
    const text =
      'FROM busybox\nWORKDIR /srv/app\nRUN echo hello > file && cat file\nCMD ["cat", "/srv/app/file"]\n';
    const image = await made.build(text, { tags: ['hello'] });
    expect(made.output()).toBe('hello\n');
    expect(image.config.rootfs.diff_ids).toHaveLength(3);
    const again = await made.build(text, { tags: ['hello'] });
    expect(made.outcomes()).toEqual({
      '[1/3] FROM busybox:latest': 'cached',
      '[2/3] WORKDIR /srv/app': 'cached',
      '[3/3] RUN echo hello > file && cat file': 'cached',
    });
    expect(again.id).toBe(image.id);
  });
});
