import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { HostileWorld } from '../support/hostile/hostile-world.ts';
import { entry, header, pax, tar } from '../support/layer/raw-tar.ts';
import type { TarMember } from '../support/layer/tar-bytes.ts';

const UP = '../'.repeat(12);

let world: HostileWorld;
let plain: string;

beforeAll(async () => {
  world = await HostileWorld.open();
  plain = await world.image([]);
  await world.ocits.ok('pull', '-q', plain);
});
afterAll(async () => await world[Symbol.asyncDispose]());

/** Symlinks of an image to a folder of the host, and to a file in it. */
function links(): readonly TarMember[] {
  return [
    { path: 'abs', type: 'symlink', target: world.decoy },
    { path: 'rel', type: 'symlink', target: `${UP}${world.decoy.slice(1)}` },
    { path: 'file', type: 'symlink', target: `${world.decoy}/secret` },
    { path: 'up', type: 'symlink', target: UP },
    { path: 'srv/', type: 'directory' },
    { path: 'srv/in', type: 'symlink', target: '/abs/empty' },
  ];
}

describe('volumes', () => {
  test('are filled and mounted inside the image, whatever their path says', async () => {
    // The image has folders where its links lead: those fill the volume, not the host's of the same names.
    const own = { path: `${world.decoy.slice(1)}/dev/inner`, content: 'of the image' };
    for (const path of [
      '/abs/dev',
      '/rel/dev',
      `/up/${world.decoy.slice(1)}/dev`,
      `/srv/../../../..${world.decoy}/dev`,
    ]) {
      const image = await world.image([[...links(), own]], { Volumes: { [path]: {} } });
      const { stdout } = await world.run(image, `ls ${path}/; cat ${path}/*; echo pwned > ${path}/pwned`);
      expect({ path, stdout }).toEqual({ path, stdout: 'inner\nof the image' });
    }
    const nowhere = await world.image([links()], { Volumes: { '/abs': {}, [`/srv/${UP}up`]: {} } });
    expect((await world.run(nowhere, 'ls -R /abs/ /up/tmp')).stdout).not.toMatch(/secret|passwd|resolv/);
    expect(await world.isHostChanged()).toBe(false);
    expect(await world.remains()).toBe('');
  });

  test.each(['/', '.', '/sys/fs/cgroup', '/../../proc', '../proc', 'dev/x'])(
    'cannot be on %j',
    async (path) => {
      const image = await world.image([], { Volumes: { [path]: {} } });
      expect(await world.run(image, 'true')).toMatchObject({
        code: 125,
        stderr: expect.stringMatching(/^ocits: .*volume|VOLUME/im),
      });
      expect(await world.remains()).toBe('');
    },
  );

  test('of the user, on a path of the image’s that leads out, are mounted inside', async () => {
    const image = await world.image([links()]);
    const flags = [
      ['-v', '/abs/empty'],
      ['--tmpfs', '/rel/empty'],
      ['-v', `${world.ocits.folder}/registries.conf:/file:ro`],
    ];
    for (const words of flags) {
      await world.ocits.run([
        'run',
        '--rm',
        '--network',
        'none',
        ...words,
        image,
        '/bin/sh',
        '-c',
        `echo pwned > ${words[1]}/pwned`,
      ]);
    }
    expect(await world.isHostChanged()).toBe(false);
  });
});

describe('COPY and WORKDIR', () => {
  test('into symlinks of the image that lead out stay in the image', async () => {
    const image = await world.image([links()]);
    const context = world.ocits.context({
      Dockerfile: `FROM ${image}\nWORKDIR /abs/empty\nCOPY f /abs/\nCOPY f /rel/empty/\nCOPY f /file\nCOPY f ${`/up/${UP}`}f\nWORKDIR ${`/rel/${UP}made`}\nADD f .\nRUN cat /abs/f /file /f && pwd\n`,
      f: 'copied\n',
    });
    const { code, stderr } = await world.ocits.run([
      'build',
      '--no-cache',
      '--network',
      'none',
      '--progress',
      'plain',
      context,
    ]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/copied.*copied.*copied/s),
    });
    expect(await world.isHostChanged()).toBe(false);
    expect(existsSync('/made')).toBe(false);
  });

  test('--from an image or stage copies nothing of the host', async () => {
    const image = await world.image([links()]);
    const from = (source: string) =>
      world.build(plain, [`COPY --from=${image} ${source} /got`, 'RUN ls -aR /got; cat /got || true']);
    for (const source of [
      '/abs',
      '/abs/secret',
      '/rel/',
      '/file',
      `/up/${world.decoy.slice(1)}/secret`,
      `${UP}${world.decoy.slice(1)}/secret`,
      '/srv/in',
    ]) {
      const { stderr } = await from(source);
      expect(stderr).not.toMatch(/of-the-host/);
    }
    // A bind mount of a stage, too.
    const { stderr } = await world.build(plain, [
      `RUN --mount=type=bind,from=${image},source=/abs,target=/m ls -a /m; cat /m/secret`,
    ]);
    expect(stderr).not.toMatch(/of-the-host/);
  });

  test('a cache or secret mount on a link of the image stays in the image', async () => {
    const image = await world.image([links()]);
    const { stderr } = await world.build(image, [
      'RUN --mount=type=cache,target=/abs/empty echo pwned > /abs/empty/pwned; ls /abs',
      'RUN --mount=type=tmpfs,target=/rel/empty true',
    ]);
    expect(stderr).not.toMatch(/\bsecret\b/);
    expect(await world.isHostChanged()).toBe(false);
  });
});

describe('a build context', () => {
  const build = (context: string, ...flags: string[]) =>
    world.ocits.run(['build', '--no-cache', '--network', 'none', '--progress', 'plain', ...flags, context]);

  test('gives nothing that is outside of it', async () => {
    const context = world.ocits.context({ Dockerfile: '' });
    symlinkSync(world.decoy, join(context, 'out'));
    symlinkSync(`${UP}${world.decoy.slice(1)}/secret`, join(context, 'secret'));
    execFileSync('mkfifo', [join(context, 'fifo')]);
    const sources = [
      'out/secret',
      'secret',
      'out/',
      'out/*',
      `${UP}${world.decoy.slice(1)}/secret`,
      `${world.decoy}/secret`,
      './out/../out/secret',
    ];
    for (const source of sources) {
      writeFileSync(
        join(context, 'Dockerfile'),
        `FROM ${plain}\nCOPY ${source} /got/\nRUN cat /got/* /got; true\n`,
      );
      const { stderr } = await build(context);
      expect(stderr).not.toContain('of-the-host');
    }
    writeFileSync(
      join(context, 'Dockerfile'),
      `FROM ${plain}\nCOPY . /all/\nRUN ls -l /all; cat /all/secret /all/out/secret; true\n`,
    );
    expect((await build(context)).stderr).not.toContain('of-the-host');
  });

  test('with a fifo, device or huge file for its Dockerfile or .dockerignore ends soon', async () => {
    const kinds: ((path: string) => void)[] = [
      (path) => execFileSync('mkfifo', [path]),
      (path) => symlinkSync('/dev/zero', path),
      (path) => mkdirSync(path),
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 2 ** 40);
      },
    ];
    for (const make of kinds) {
      for (const name of ['Dockerfile', '.dockerignore']) {
        const context = mkdtempSync(join(world.ocits.folder, 'context-'));
        if (name !== 'Dockerfile')
          writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
        make(join(context, name));
        const { code, stderr } = await build(context);
        expect({ code, stderr }).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/^ocits: .*(Dockerfile|\.dockerignore)/m),
        });
        expect(stderr.length).toBeLessThan(4000);
      }
    }
  });

  test('with a symlink to a file of the host for its Dockerfile or .dockerignore shows nothing of it', async () => {
    for (const name of ['Dockerfile', '.dockerignore', 'other/Dockerfile']) {
      const context = mkdtempSync(join(world.ocits.folder, 'context-'));
      mkdirSync(join(context, 'other'));
      if (name !== 'Dockerfile') writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\n');
      symlinkSync(join(world.decoy, 'secret'), join(context, name));
      const flags = name === 'other/Dockerfile' ? ['-f', join(context, name)] : [];
      const { code, stderr } = await build(context, ...flags);
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/leads out of the build context/),
      });
      expect(stderr).not.toContain('of-the-host');
    }
  });

  test('as an archive with entries that climb stays in its folder', async () => {
    const archive = tar(
      entry(
        { name: 'Dockerfile' },
        `FROM ${plain}\nCOPY . /all/\nRUN find /all | sort; cat /all/link/secret /all/secret; true\n`,
      ),
      entry({ name: `${UP}${world.decoy.slice(1)}/pwned` }, 'pwned'),
      entry({ name: `${world.decoy}/pwned2` }, 'pwned'),
      header({ name: 'link', type: '2', linkName: world.decoy }),
      entry({ name: 'link/pwned3' }, 'pwned'),
      header({ name: 'secret', type: '1', linkName: `${world.decoy}/secret` }),
    );
    const { stderr } = await world.ocits.run(['build', '--network', 'none', '--progress', 'plain', '-'], {
      input: archive,
    });
    expect(stderr).not.toContain('of-the-host');
    expect(await world.isHostChanged()).toBe(false);
  });
});

describe('load', () => {
  const config = Buffer.from(
    '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
  );
  const load = (archive: Buffer) => world.ocits.run(['load'], { input: archive });
  const manifest = (Config: string, Layers: string[] = [], RepoTags = ['loaded:1']) =>
    entry({ name: 'manifest.json' }, JSON.stringify([{ Config, Layers, RepoTags }]));

  test('reads and writes nothing outside of the archive', async () => {
    const secret = `${UP}${world.decoy.slice(1)}/secret`;
    const archives = [
      tar(entry({ name: secret }, 'pwned'), manifest(secret)),
      tar(manifest(`${world.decoy}/secret`)),
      tar(
        header({ name: 'config.json', type: '2', linkName: `${world.decoy}/secret` }),
        manifest('config.json'),
      ),
      tar(header({ name: 'config.json', type: '1', linkName: secret }), manifest('config.json')),
      tar(entry({ name: 'c.json' }, config), manifest('c.json', [secret])),
      tar(
        header({ name: 'layer.tar', type: '2', linkName: `${world.decoy}/secret` }),
        entry({ name: 'c.json' }, config),
        manifest('c.json', ['layer.tar']),
      ),
      tar(
        entry({ name: `${world.decoy}/pwned` }, 'pwned'),
        entry({ name: `${UP}${world.decoy.slice(1)}/pwned` }, 'pwned'),
      ),
      tar(
        pax({ path: `${UP}${world.decoy.slice(1)}/pwned` }),
        entry({ name: 'x' }, 'pwned'),
        entry({ name: 'c.json' }, config),
        manifest('c.json', ['y']),
      ),
      tar(
        entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}'),
        entry(
          { name: 'index.json' },
          JSON.stringify({
            schemaVersion: 2,
            manifests: [
              {
                mediaType: 'application/vnd.oci.image.manifest.v1+json',
                digest: `sha256:${secret}`,
                size: 1,
              },
            ],
          }),
        ),
      ),
      tar(
        entry({ name: 'c.json' }, config),
        manifest('c.json', [], ['../../../etc/x:1', '/abs:1', 'a/../../b:1']),
      ),
      tar(header({ name: 'manifest.json', size: 2 ** 40 })),
    ];
    for (const archive of archives) {
      const { code, stdout, stderr } = await load(archive);
      expect({ code, stdout, stderr }).toMatchObject({ code: 1, stdout: '' });
      expect(stderr.match(/^ocits: /gm)).toHaveLength(1);
      expect(stderr).not.toMatch(/of-the-host|a fault in ocits/);
    }
    expect(await world.isHostChanged()).toBe(false);
    expect(await world.ocits.ok('images', '--format', '{{.Repository}}')).not.toMatch(/loaded|etc/);
  });

  test('does not take another content for a digest that it names', async () => {
    const digest = digestOf(Buffer.from('something else')).slice('sha256:'.length);
    const lying = tar(
      entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}'),
      entry({ name: `blobs/sha256/${digest}` }, '{}'),
      entry(
        { name: 'index.json' },
        JSON.stringify({
          schemaVersion: 2,
          manifests: [
            { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${digest}`, size: 2 },
          ],
        }),
      ),
    );
    expect(await load(lying)).toMatchObject({ code: 1, stderr: expect.stringMatching(/sha256/) });
    expect(existsSync(join(world.ocits.folder, 'root/blobs/sha256', digest))).toBe(false);
  });
});

describe('the store', () => {
  test('and the run folder are closed to others, also what is below', () => {
    for (const name of ['root', 'run']) {
      const folder = join(world.ocits.folder, name);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      for (const each of readdirSync(folder, { withFileTypes: true })) {
        if (each.isDirectory())
          expect([each.name, statSync(join(folder, each.name)).mode & 0o777]).toEqual([each.name, 0o700]);
      }
    }
  });

  test('takes no pulled image for a step of the build cache', async () => {
    // An image on the same base, whose history says just what the build is about to do.
    const step = 'RUN /bin/sh -c echo honest > /made # buildkit';
    const image = await world.image([[{ path: 'made', content: 'forged' }]], {}, ['busybox', step]);
    await world.ocits.ok('pull', '-q', image);
    const context = world.ocits.context({
      Dockerfile: `FROM ${plain}\nRUN echo honest > /made\nRUN cat /made\n`,
    });
    const { stderr } = await world.ocits.run(['build', '--network', 'none', '--progress', 'plain', context]);
    expect(stderr).toMatch(/\d honest$/m);
    expect(stderr).not.toContain('forged');
    // And no file of an image is where the cache is.
    const layer: TarMember[] = [
      { path: 'build-cache/steps/x.json', content: '{}' },
      { path: `${UP}build-cache`, content: 'x' },
    ];
    const odd = await world.image([layer]);
    await world.ocits.run(['pull', odd]);
    expect(readdirSync(join(world.ocits.folder, 'root/build-cache/steps'))).not.toContain('x.json');
  });

  test('has an image’s overlay xattrs and whiteout devices as nothing but a warning', async () => {
    const marks = tar(
      header({ name: 'covered/', type: '5' }),
      entry({ name: 'covered/keep' }, 'kept'),
      pax({
        'SCHILY.xattr.trusted.overlay.redirect': '/etc',
        'SCHILY.xattr.trusted.overlay.opaque': 'y',
        'SCHILY.xattr.user.overlay.opaque': 'y',
      }),
      header({ name: 'covered/', type: '5' }),
      header({ name: 'bin/cat', type: '3', major: 0, minor: 0 }),
    );
    const { uploadImage, imageOf, layerOf } = await import('../support/registry/remote-image.ts');
    const { hostPlatform } = await import('../../src/oci/platform.ts');
    const { busyboxLayer } = await import('../support/image/busybox-image.ts');
    const { host } = world.ocits.registry;
    const image = imageOf({
      layers: [layerOf(await busyboxLayer(), 'none'), layerOf(marks, 'none')],
      platform: hostPlatform(),
    });
    await uploadImage(`http://${host}`, 'hostile/marks', '1', image);
    const pull = await world.ocits.run(['pull', `${host}/hostile/marks:1`]);
    expect(pull.stderr).toMatch(/WARNING: .*overlay/);
    const { stdout } = await world.run(
      `${host}/hostile/marks:1`,
      'ls /covered; ls /bin/cat; cat /covered/keep',
    );
    expect(stdout).toBe('keep\n/bin/cat\nkept');
  });
});

test('nothing of the host has changed after all', async () => {
  expect(await world.isHostChanged()).toBe(false);
  expect(readFileSync(join(world.decoy, 'secret'), 'utf8')).toBe('of-the-host');
});
