import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureImage } from '../../src/container/create/ensure-image.ts';
import { requireImage } from '../../src/image/catalog/find-image.ts';
import { readImageName } from '../../src/image/catalog/image-name.ts';
import type { PullPolicy } from '../../src/options/pull-policy.ts';
import { ContainerLab } from '../support/container/container-lab.ts';

let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterAll(async () => await lab[Symbol.asyncDispose]());

const ensure = (text: string, policy: PullPolicy) =>
  ensureImage(lab.engine, lab.call, readImageName(text), { platform: undefined, policy });

test('an image that is here is found by its name and its ID', async () => {
  const { id } = await requireImage(await lab.engine.store(), 'busybox');
  for (const text of ['busybox', 'busybox:latest', id, id.slice(7), id.slice(7, 19)]) {
    for (const policy of ['missing', 'never'] as const) {
      expect((await ensure(text, policy)).id, `${text} ${policy}`).toBe(id);
    }
  }
});

test('an ID is never pulled, and the error says why', async () => {
  const { id } = await requireImage(await lab.engine.store(), 'busybox');
  const [here, gone] = [id.slice(7), '0'.repeat(64)];
  await expect(ensure(here, 'always')).rejects.toMatchObject({
    code: 'invalid-reference',
    message: `${here} is an ID, and only a name can be pulled`,
  });
  for (const policy of ['missing', 'never'] as const) {
    await expect(ensure(gone, policy)).rejects.toMatchObject({
      code: 'not-found',
      message: `No such image: ${gone}`,
    });
  }
});
