import { expect, test } from 'vitest';
import { decideAccess, requireRoot } from '../src/access.ts';

test('root on Linux is asked for, and each lack is named', () => {
  requireRoot(decideAccess('linux', 0), 'running containers');
  expect(() => requireRoot(decideAccess('darwin', 0), 'running containers')).toThrow(
    expect.objectContaining({
      code: 'unsupported',
      message: 'running containers needs Linux, and this is darwin',
    }),
  );
  expect(() => requireRoot(decideAccess('win32', undefined), 'RUN')).toThrow(/win32/);
  expect(() => requireRoot(decideAccess('linux', 1000), 'RUN')).toThrow(
    expect.objectContaining({ code: 'permission', message: 'RUN needs root, and this is user 1000' }),
  );
});
