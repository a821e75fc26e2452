import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HostileWorld, PATH } from '../support/hostile/hostile-world.ts';
import type { TarMember } from '../support/layer/tar-bytes.ts';

let world: HostileWorld;
let plain: string;

beforeAll(async () => {
  world = await HostileWorld.open();
  plain = await world.image([]);
  await world.ocits.ok('pull', '-q', plain);
});
afterAll(async () => await world[Symbol.asyncDispose]());

const FDS = 'ls -l /proc/self/fd | sed -n "s/.* \\([0-9]*\\) -> \\(.*\\)/\\1 \\2/p"';

/** Numbers of the descriptors that a container's process has, without that of the listing itself. */
function descriptors(listing: string): string[] {
  const lines = [...listing.matchAll(/^(?:#\d+ [\d.]+ )?(\d+) (.+)$/gm)];
  return lines.filter(([, , target]) => !target!.startsWith('/proc/')).map(([, fd]) => fd!);
}

test('descriptors other than 0 to 2 reach no container, exec or RUN', async () => {
  expect(descriptors((await world.run(plain, FDS)).stdout)).toEqual(['0', '1', '2']);
  const id = await world.detached(plain);
  expect(descriptors(await world.ocits.ok('exec', id, 'sh', '-c', FDS))).toEqual(['0', '1', '2']);
  await world.ocits.ok('rm', '-f', id);
  const { stderr } = await world.build(plain, [`RUN ${FDS}`]);
  expect(descriptors(stderr)).toEqual(['0', '1', '2']);
});

describe('a working directory', () => {
  const below = ['/proc/self/fd/7', '/proc/self/../self/fd/8', '/proc/1/cwd', '//proc//self/fd/3'];

  test('below /proc is refused: run, exec and RUN', async () => {
    const image = await world.image([], { WorkingDir: '/proc/self/fd/7' });
    const id = await world.detached(plain);
    const attempts = [
      await world.run(image, 'pwd'),
      ...(await Promise.all(below.map((path) => world.ocits.run(['run', '--rm', '-w', path, plain, 'pwd'])))),
      ...(await Promise.all(below.map((path) => world.ocits.run(['exec', '-w', path, id, 'pwd'])))),
      await world.build(image, ['RUN pwd']),
      await world.build(plain, ['WORKDIR /proc/self/fd/9', 'RUN pwd']),
    ];
    await world.ocits.ok('rm', '-f', id);
    for (const { code, stdout, stderr } of attempts) {
      expect({ code, stdout }).not.toMatchObject({ code: 0 });
      expect(stderr).toMatch(/\/proc/);
      expect(stdout).toBe('');
    }
  });

  test('that is a symlink to a descriptor leads to nothing of the host', async () => {
    const numbers = [3, 6, 7, 9, 11];
    const links = numbers.map(
      (fd): TarMember => ({ path: `w${fd}`, type: 'symlink', target: `/proc/self/fd/${fd}` }),
    );
    const image = await world.image([links]);
    const id = await world.detached(image);
    const look = ['ls', '-a', '../../../..', '.'];
    const attempts = [];
    for (const fd of numbers) {
      attempts.push(
        ...(await Promise.all([
          world.ocits.run(['run', '--rm', '--network', 'none', '-w', `/w${fd}`, image, ...look]),
          world.ocits.run(['exec', '-w', `/w${fd}`, id, ...look]),
        ])),
      );
    }
    attempts.push(await world.build(image, ['WORKDIR /w7', `RUN ${look.join(' ')}`]));
    attempts.push(await world.build(image, ['WORKDIR /w8', `RUN ${look.join(' ')}`]));
    await world.ocits.ok('rm', '-f', id);
    for (const { stdout, stderr } of attempts) {
      // The host's root, and the folders of ocits.
      expect(stdout + stderr).not.toMatch(
        /\b(vmlinuz|lost\+found|boot|config\.json|spec\.json|rootfs|blobs|live)\b/,
      );
    }
  });

  test('with `..` stays inside', async () => {
    const image = await world.image([], { WorkingDir: '../../../../../tmp/../..' });
    expect((await world.run(image, 'pwd; ls /bin/busybox')).stdout).toBe('/\n/bin/busybox\n');
    const { stderr } = await world.build(plain, ['WORKDIR /../../../../made/../../made', 'RUN pwd']);
    expect(stderr).toMatch(/\d \/made$/m);
  });
});

test('a user that the kernel would cut or take for another is refused', async () => {
  const users = [
    '2147483648',
    '4294967295',
    '4294967296',
    '4294967297',
    '0:4294967296',
    '-1',
    '-2147483648',
    '99999999999999999999',
    '1e3',
    '0x0',
  ];
  const id = await world.detached(plain);
  const attempts = await Promise.all(
    users.flatMap((user) => [
      world.run(plain, 'id', `--user=${user}`),
      world.ocits.run(['exec', `--user=${user}`, id, 'id']),
    ]),
  );
  const images = await Promise.all(users.slice(0, 4).map((User) => world.image([], { User })));
  attempts.push(...(await Promise.all(images.map((image) => world.run(image, 'id')))));
  attempts.push(
    ...(await Promise.all(users.slice(0, 4).map((user) => world.build(plain, [`USER ${user}`, 'RUN id'])))),
  );
  await world.ocits.ok('rm', '-f', id);
  for (const { code, stdout, stderr } of attempts) {
    expect({ code, stdout, stderr }).not.toMatchObject({ code: 0 });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/is above 2147483647|is not in the image's/);
  }
  expect(await world.remains()).toBe('');
});

test('user and group files with entries that lie name nobody beyond the limits', async () => {
  const passwd = [
    'big:x:4294967296:0::/:/bin/sh',
    'minus:x:-1:0::/:/bin/sh',
    'text:x:abc:0::/:/bin/sh',
    'half:x:5',
  ];
  const image = await world.image([[{ path: 'etc/passwd', content: `${passwd.join('\n')}\n` }]]);
  for (const user of ['big', 'minus', 'text', 'half']) {
    expect((await world.run(image, 'id -u', '-u', user)).stderr).toContain('is not in the image');
  }
});

test('capabilities are Docker’s, none is inheritable; no-new-privileges holds; masked paths are empty', async () => {
  const status = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status';
  const masked =
    'cat /proc/interrupts /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug 2>/dev/null | head -c 10 | wc -c; ls /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v : | wc -w';
  const script = `${status}; ${masked}`;
  const id = await world.detached(plain);
  const outputs = [
    (await world.run(plain, script)).stdout,
    await world.ocits.ok('exec', id, 'sh', '-c', script),
    (await world.build(plain, [`RUN ${script}`])).stderr.replace(/^#\d+ [\d.]* ?/gm, ''),
  ];
  for (const output of outputs) {
    expect(output).toMatch(/^CapInh:\s0{16}$/m);
    expect(output).toMatch(/^CapAmb:\s0{16}$/m);
    expect(output).toMatch(/^CapBnd:\s00000000a80425fb$/m);
    expect(output).toMatch(/^Seccomp:\s2$/m);
    expect(output).toMatch(/\n0\n0\n/);
  }
  await world.ocits.ok('rm', '-f', id);
  const safe = await world.run(plain, status, '--security-opt', 'no-new-privileges');
  expect(safe.stdout).toMatch(/^NoNewPrivs:\s1$/m);
  const user = await world.run(plain, status, '-u', '1000');
  expect(user.stdout).toMatch(/^CapEff:\s0{16}$/m);
});

test('no variable of the host’s reaches a container, an exec or a build', async () => {
  const env = {
    OCITS_TEST_SECRET: 'leaked',
    LISTEN_FDS: '3',
    NOTIFY_SOCKET: '/leaked',
    GIT_TOKEN: 'leaked',
    SOURCE_DATE_EPOCH: '',
  };
  const run = await world.ocits.run(['run', '--rm', '--network', 'none', plain, 'env'], { env });
  expect(
    run.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .sort(),
  ).toEqual(['HOME', 'HOSTNAME', 'PATH']);
  const context = world.ocits.context({
    Dockerfile: `FROM ${plain}\nRUN env; echo end\nARG OCITS_TEST_SECRET\nRUN echo "x\${OCITS_TEST_SECRET}x"\n`,
  });
  const build = await world.ocits.run(['build', '--no-cache', '--network', 'none', context], { env });
  expect(build.stderr).toContain('xx');
  expect(build.stderr).not.toMatch(/leaked|LISTEN_FDS|NOTIFY_SOCKET|OCITS_ROOT|GIT_TOKEN=/);
});

test('programs of the image are never run on the host’s side', async () => {
  const trap = `#!/bin/busybox sh\n/bin/busybox touch ${world.decoy}/trapped\n`;
  const names = [
    'crun',
    'conmon',
    'mount',
    'umount',
    'unshare',
    'cp',
    'tar',
    'flock',
    'setfattr',
    'getfattr',
    'rm',
    'netavark',
    'ip',
    'cat',
  ];
  const folders = ['evil', 'usr/sbin', 'sbin', 'usr/lib/podman'];
  const layer: TarMember[] = folders.flatMap((folder) => [
    { path: `${folder}/`, type: 'directory' as const },
    ...names.map((name) => ({ path: `${folder}/${name}`, content: trap, mode: 0o755 })),
  ]);
  layer.push(
    { path: 'evil.so', content: 'x', mode: 0o755 },
    { path: 'etc/ld.so.preload', content: '/evil.so\n' },
    { path: 'data/', type: 'directory' },
  );
  const image = await world.image([layer], {
    Env: [
      'PATH=/evil:/bin',
      'LD_PRELOAD=/evil.so',
      'LD_LIBRARY_PATH=/evil',
      'BASH_ENV=/evil.so',
      'ENV=/evil.so',
      'NODE_OPTIONS=--require=/evil.js',
    ],
    Volumes: { '/data': {} },
  });
  expect((await world.run(image, '/bin/busybox echo fine')).stdout).toBe('fine\n');
  const context = world.ocits.context({
    Dockerfile: `FROM ${image}\nCOPY f /data/f\nRUN /bin/busybox true\n`,
    f: '1',
  });
  // Also with the current directory full of them, and first in PATH.
  const here = join(world.ocits.folder, 'here');
  mkdirSync(here);
  for (const name of names) writeFileSync(join(here, name), trap, { mode: 0o755 });
  const env = { PATH: `.::${process.env['PATH']}` };
  expect(await world.ocits.run(['build', '--network', 'none', context], { cwd: here, env })).toMatchObject({
    code: 0,
  });
  expect(
    await world.ocits.run(['run', '--rm', '--network', 'none', image, '/bin/busybox', 'true'], {
      cwd: here,
      env,
    }),
  ).toMatchObject({ code: 0 });
  expect(await world.isHostChanged()).toBe(false);
});

test('labels and annotations of an image do not steer ocits or crun', async () => {
  const names = [
    'io.ocits.anonymous',
    'io.ocits.autoremove',
    'ocits.anonymous',
    'run.oci.handler',
    'run.oci.hooks.stderr',
    'run.oci.keep_original_groups',
    'run.oci.seccomp_bpf_data',
    'io.kubernetes.cri-o.userns-mode',
    'module.wasm.image/variant',
  ];
  const image = await world.image([], {
    Labels: Object.fromEntries(names.map((name) => [name, 'krun'])),
    Env: [PATH],
  });
  const { stdout } = await world.run(image, 'grep Seccomp: /proc/self/status');
  expect(stdout).toMatch(/Seccomp:\s2/);
  const given = await world.run(image, 'true', '--annotation', 'run.oci.handler=krun');
  expect(given).toMatchObject({ code: 125, stderr: expect.stringContaining('run.oci.handler') });
});

test('a container that swaps its own files while it runs gets nothing of the host by exec', async () => {
  const id = await world.detached(plain);
  const inside = (script: string) => world.ocits.ok('exec', id, '/bin/sh', '-c', script);
  const asEvil = () => world.ocits.run(['exec', '-u', 'evil:evil', id, '/bin/id']);
  await inside(`ln -sf ${world.decoy}/passwd /etc/passwd; ln -sf ${world.decoy}/group /etc/group`);
  expect(await asEvil()).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('"evil" is not in'),
  });
  await inside('rm /etc/passwd /etc/group; mkfifo /etc/passwd; mkdir /etc/group');
  expect(await asEvil()).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('"evil" is not in'),
  });
  await inside('rm /etc/passwd; ln -s /proc/1/root/etc/passwd /etc/passwd; ln -sf /proc/self/fd/5 /w');
  expect(await asEvil()).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('"evil" is not in'),
  });
  expect((await world.ocits.run(['exec', '-w', '/w', id, '/bin/ls', '-a'])).stdout).not.toMatch(
    /config\.json|upper|boot/,
  );
  await world.ocits.ok('rm', '-f', id);
});

test('an init is ours, whatever the image has in its place', async () => {
  const at = 'sbin/docker-init';
  const kinds: TarMember[] = [
    { path: at, type: 'symlink', target: `${world.decoy}/secret` },
    { path: at, type: 'fifo' },
    { path: 'sbin', type: 'symlink', target: world.decoy },
  ];
  for (const member of kinds) {
    const { code, stdout } = await world.run(await world.image([[member]]), 'cat /proc/1/cmdline', '--init');
    // crun does not mount below a symlink that leads nowhere.
    if (member.path === 'sbin') expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
    else expect(stdout).toBe('/sbin/docker-init\0--\0/bin/sh\0-c\0cat /proc/1/cmdline\0');
  }
  expect(await world.isHostChanged()).toBe(false);
});
