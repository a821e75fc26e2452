import { execFileSync } from 'node:child_process';
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

test('in a user namespace overlayfs has its marks in attributes that users may set', () => {
  const all = '         0          0 4294967295\n';
  expect(decideAccess('linux', 0, all)).toMatchObject({ inUserNamespace: false, xattrPrefix: 'trusted.' });
  const mapped = '         0     100000      65536\n';
  expect(decideAccess('linux', 0, mapped)).toMatchObject({ inUserNamespace: true, xattrPrefix: 'user.' });
  expect(decideAccess('darwin', 501)).toMatchObject({ inUserNamespace: false });
});

test('the kernel says in which namespace this process is', () => {
  const asked = `import { decideAccess } from '${new URL('../src/access.ts', import.meta.url)}'; console.log(decideAccess().inUserNamespace)`;
  const ask = (...before: string[]) => {
    const [program, ...args] = [...before, process.execPath, '--input-type=module', '-e', asked];
    return execFileSync(program!, args, { encoding: 'utf8' }).trim();
  };
  expect([ask(), ask('unshare', '--user', '--map-root-user')]).toEqual(['false', 'true']);
});
