import { expect, test } from 'vitest';
import { requireLinuxRoot } from '../../src/system/process/require-host.ts';

test('root on Linux is asked for, and each lack is named', () => {
  requireLinuxRoot('running containers', { platform: 'linux', uid: 0 });
  expect(() => requireLinuxRoot('running containers', { platform: 'darwin', uid: 0 })).toThrow(
    expect.objectContaining({
      code: 'unsupported',
      message: 'running containers needs Linux, and this is darwin',
    }),
  );
  expect(() => requireLinuxRoot('RUN', { platform: 'win32', uid: undefined })).toThrow(/win32/);
  expect(() => requireLinuxRoot('RUN', { platform: 'linux', uid: 1000 })).toThrow(
    expect.objectContaining({ code: 'permission', message: 'RUN needs root, and this is user 1000' }),
  );
});
