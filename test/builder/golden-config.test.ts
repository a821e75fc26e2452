import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildHost } from '../support/builder/build-host.ts';
import { addBusyboxImage } from '../support/image/busybox-image.ts';

const FOLDER = join(import.meta.dirname, '../../testdata/build');

/** How the recorded BuildKit wrote what today's writes otherwise, and ours with it. */
const NEWER: Readonly<Record<string, string>> = {
  'ARG TAG': 'ARG TAG=latest',
  'COPY . . # buildkit': 'COPY --chown=1:2 . . # buildkit',
  'EXPOSE map[3000/tcp:{} 53/udp:{}]': 'EXPOSE [3000/tcp 53/udp]',
  'HEALTHCHECK &{["CMD-SHELL" "true"] "30s" "0s" "0s" \'\\x00\'}':
    'HEALTHCHECK {Test:[CMD-SHELL true] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}',
};

it('makes the configuration that BuildKit makes', async () => {
  await using made = await buildHost();
  await addBusyboxImage(made.store, { config: { Env: ['PATH=/bin'], Cmd: ['sh'] } });
  for (const name of ['package.json', 'server.js']) await writeFile(join(made.context, name), '{}');
  const image = await made.build(await readFile(join(FOLDER, 'Dockerfile'), 'utf8'));
  const golden = JSON.parse(await readFile(join(FOLDER, 'buildkit.json'), 'utf8'));
  expect(image.config.config).toEqual(golden.config);
  const lines = image.config.history!.slice(1).map(({ created_by, empty_layer }) => ({
    created_by,
    ...(empty_layer === true ? { empty_layer } : {}),
  }));
  expect(lines).toEqual(
    golden.history.map((line: { created_by: string }) => ({
      ...line,
      created_by: NEWER[line.created_by] ?? line.created_by,
    })),
  );
});
