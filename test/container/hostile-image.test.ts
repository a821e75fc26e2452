import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../../src/oci/image-config.ts';
import { ContainerLab, type LabRun } from '../support/container/container-lab.ts';
import { addBusyboxImage } from '../support/image/busybox-image.ts';
import type { TarMember } from '../support/layer/tar-bytes.ts';

let lab: ContainerLab;
let images = 0;

beforeAll(async () => {
  lab = await ContainerLab.open();
  mkdirSync(join(lab.folder, 'secret'));
  writeFileSync(join(lab.folder, 'secret/key'), 'of the host');
});

afterAll(async () => await lab[Symbol.asyncDispose]());

/** Runs a script in an image with one more layer and another config. */
async function inImage(config: RunConfig, layer: readonly TarMember[], script: string, parts: LabRun = {}) {
  const reference = `hostile${images++}`;
  await addBusyboxImage(await lab.engine.store(), {
    reference,
    config,
    layers: layer.length === 0 ? [] : [layer],
  });
  return await lab.run(['/bin/sh', '-c', script], { image: reference, ...parts });
}

describe('an image cannot', () => {
  test.each(['2147483648', '4294967296', '4294967297', '0:4294967296', '99999999999999999999'])(
    'have the user %s',
    async (User) => {
      await expect(inImage({ User }, [], 'id')).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );

  test.each(['/proc/self/fd/7', '/x/../proc/self/fd/7', '/proc/1/root', '/proc/self/../../proc/self/cwd'])(
    'work in %s',
    async (WorkingDir) => {
      await expect(inImage({ WorkingDir }, [], 'ls')).rejects.toMatchObject({ code: 'hostile' });
    },
  );

  test('work in a symlink to a descriptor', async () => {
    const fds = [3, 5, 7, 9, 11];
    const layer = fds.map(
      (fd) => ({ path: `wd${fd}`, type: 'symlink', target: `/proc/self/fd/${fd}` }) as const,
    );
    await inImage({}, layer, 'true');
    const image = `hostile${images - 1}`;
    for (const fd of fds) {
      const parts = { image, process: { workdir: `/wd${fd}` } };
      const { stdout } = await lab.run(['ls', '-a', '/proc/self/cwd/'], parts).catch(() => ({ stdout: '' }));
      expect(stdout).not.toMatch(/secret|bundle|spec\.json|boot|vmlinuz/);
    }
  });

  test('hand on descriptors', async () => {
    const { stdout } = await inImage({}, [], 'ls /proc/self/fd');
    // The last one is that of ls itself.
    expect(stdout.trim().split('\n')).toEqual(['0', '1', '2', '3']);
  });

  test.each(['/proc', '/proc/sys', '/sys/fs/cgroup', '/dev', '/', '/a/../../proc', 'proc'])(
    'have a volume on %s',
    async (path) => {
      await expect(inImage({ Volumes: { [path]: {} } }, [], 'ls')).rejects.toMatchObject({ code: 'hostile' });
      expect(await lab.remains()).toEqual([]);
      expect(await (await lab.engine.volumes()).list()).toEqual([]);
    },
  );

  test('fill a volume from outside of itself', async () => {
    const up = '../'.repeat(12);
    const layer: TarMember[] = [
      { path: 'absolute', type: 'symlink', target: join(lab.folder, 'secret') },
      { path: 'relative', type: 'symlink', target: `${up}${join(lab.folder, 'secret').slice(1)}` },
      { path: 'loop', type: 'symlink', target: 'loop' },
    ];
    for (const path of ['/absolute', '/relative', `/bin/../${up}absolute`]) {
      // crun refuses to mount on a symlink that leads nowhere; inside the image these do.
      const outcome = await inImage({ Volumes: { [path]: {} } }, layer, `ls -a ${path}/`).catch(
        (error) => error,
      );
      expect(outcome.stdout ?? '').not.toContain('key');
      expect(outcome).toSatisfy((each) => each.exitCode !== undefined || each.code === 'tool-failed');
    }
    await expect(inImage({ Volumes: { '/loop': {} } }, layer, 'true')).rejects.toMatchObject({
      code: 'hostile',
    });
    expect(await (await lab.engine.volumes()).list()).toEqual([]);
  });

  test('keep its own files for ours, whatever they are', async () => {
    const layer: TarMember[] = [
      { path: 'etc/hosts', type: 'symlink', target: '/hosts' },
      { path: 'etc/hostname', type: 'fifo' },
      { path: 'etc/resolv.conf', type: 'directory' },
      { path: 'dev', type: 'symlink', target: '/bin' },
      { path: 'proc', type: 'symlink', target: '/tmp' },
      { path: 'sys', type: 'char', major: 1, minor: 1 },
    ];
    const { stdout } = await inImage(
      {},
      layer,
      'cat /etc/hostname; ls /dev; cat /proc/1/comm; ls /sys; cat /etc/hosts',
    );
    expect(stdout).toMatch(/^[0-9a-f]{12}\n/);
    expect(stdout).toContain('\nnull\n');
    expect(stdout).toContain('\nkernel\n');
    expect(stdout).toContain('127.0.0.1\tlocalhost');
  });

  test.each<[string, Partial<TarMember>]>([
    ['a fifo', { type: 'fifo' }],
    ['a device', { type: 'char', major: 1, minor: 9 }],
    ['a symlink to the host', { type: 'symlink', target: '/proc/1/root/etc/passwd' }],
    ['a loop', { type: 'symlink', target: 'passwd' }],
  ])('stop us by %s for /etc/passwd', async (_, member) => {
    const layer = [{ path: 'etc/passwd', ...member }];
    const { stdout } = await inImage({}, layer, 'echo ok').catch((error) => ({ stdout: error.code }));
    expect(stdout).toMatch(/^(ok\n|hostile)$/);
    await expect(inImage({ User: 'somebody' }, layer, 'true')).rejects.toMatchObject({
      code: expect.stringMatching(/not-found|hostile/),
    });
  });

  test('be too large to start', async () => {
    const Env = Array.from({ length: 30 }, (_, index) => `V${index}=${'x'.repeat(100_000)}`);
    await expect(inImage({ Env }, [], 'true')).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('have programs run on the host, or pass for ours by its labels', async () => {
    const layer = [
      { path: 'bin/cp', content: '#!/bin/sh\nexit 1', mode: 0o755 },
      { path: 'data/file', content: 'x' },
    ];
    const Labels = { 'ocits.anonymous': 'true', 'io.ocits.autoremove': 'false' };
    const config = { Volumes: { '/data': {} }, Labels, Env: ['PATH=/evil', 'LD_PRELOAD=/evil.so'] };
    const { stdout } = await inImage(config, layer, '/bin/cat /data/file');
    expect(stdout).toBe('x');
    expect(await (await lab.engine.volumes()).list()).toEqual([]);
  });

  test('be reached by other users of the host', async () => {
    await lab.run(['true'], { autoRemove: false });
    for (const path of [lab.paths.root, lab.paths.run, ...below(lab.paths.root)]) {
      expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o700]);
    }
    expect(lstatSync(join(lab.paths.root, 'containers')).mode & 0o077).toBe(0);
    expect(readFileSync(join(lab.folder, 'secret/key'), 'utf8')).toBe('of the host');
  });
});

function below(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}
