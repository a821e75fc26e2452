import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BuildError } from '../../src/builder/request/build-error.ts';
import { openIndexStore } from '../../src/layer/index/index-store.ts';
import { type BuildOptions, buildHost, type TestBuildHost } from '../support/builder/build-host.ts';
import { addBusyboxImage, addImage } from '../support/image/busybox-image.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { isRunning, ownSleep } from '../support/program/processes.ts';

/** The tar with nothing in it, which Docker knows by this digest as well. */
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

let made: TestBuildHost;
beforeAll(async () => {
  made = await buildHost();
});
afterAll(async () => {
  await made[Symbol.asyncDispose]();
});

/** What the steps of a Dockerfile on busybox print. */
async function printed(steps: string, options: BuildOptions = {}): Promise<string> {
  await made.build(`FROM busybox\n${steps}\n`, { noCache: true, ...options });
  return made.output();
}

async function failure(steps: string, options: BuildOptions = {}): Promise<BuildError> {
  return await made.build(`FROM busybox\n${steps}\n`, options).then(
    () => expect.fail('it did not fail'),
    (error: BuildError) => error,
  );
}

describe('RUN', () => {
  it('leaves its changes as a layer, which the next step works on; the second build takes all from the cache', async () => {
    const text =
      'FROM busybox\nWORKDIR /srv/app\nRUN echo hello > file\nRUN cat file && rm file\nCMD ["true"]\n';
    const image = await made.build(text, { tags: ['hello'] });
    expect(made.output()).toBe('hello\n');
    expect(image.config.rootfs.diff_ids).toHaveLength(4);
    expect(image.config.history?.slice(1).map(({ empty_layer }) => empty_layer ?? false)).toEqual([
      ...[false, false, false, true],
    ]);
    const again = await made.build(text, { tags: ['hello'] });
    expect(made.outcomes()).toEqual({
      '[1/4] FROM docker.io/library/busybox:latest': 'cached',
      '[2/4] WORKDIR /srv/app': 'cached',
      '[3/4] RUN echo hello > file': 'cached',
      '[4/4] RUN cat file && rm file': 'cached',
    });
    expect(again.id).toBe(image.id);
    expect(made.output()).toBe('');
  });

  it('sees the image’s environment and the ARGs, and nothing of ours', async () => {
    process.env['OCITS_TEST_LEAK'] = 'secret';
    try {
      const text = await printed('ENV A=1\nARG B\nRUN env | sort', {
        buildArgs: { B: '2', HTTPS_PROXY: 'p' },
      });
      expect(text.trimEnd().split('\n')).toEqual([
        ...['A=1', 'B=2', 'HOME=/root', 'HTTPS_PROXY=p'],
        ...['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'PWD=/', 'SHLVL=1'],
      ]);
    } finally {
      delete process.env['OCITS_TEST_LEAK'];
    }
  });

  it('runs as the user that USER names, in the folder that WORKDIR made for it', async () => {
    const text = await printed(
      'USER www-data\nWORKDIR /home/own\nRUN id && pwd && touch file && ls -ld . && echo $HOME',
    );
    expect(text).toMatch(
      /^uid=33\(www-data\) gid=33\(www-data\) groups=33\(www-data\),50\(staff\)\n\/home\/own\n/,
    );
    expect(text).toMatch(/drwxr-xr-x +1 www-data www-data .* \.\n\/var\/www\n$/);
  });

  it('takes the exec form, another SHELL, and here-documents', async () => {
    expect(await printed('RUN ["echo", "$HOME"]')).toBe('$HOME\n');
    expect(await printed('SHELL ["/bin/sh", "-xc"]\nRUN true')).toBe('+ true\n');
    expect(await printed('RUN <<EOF\nx=1\necho $x\nEOF')).toBe('1\n');
    expect(await printed('RUN <<EOF\n#!/bin/cat\nhello\nEOF')).toBe('#!/bin/cat\nhello\n');
    expect(await printed('RUN cat <<A - <<"B"\n1\nA\n2\nB')).toContain('2\n');
  });

  it('can delete, replace and rename what lower layers have', async () => {
    await made.build('FROM busybox\nRUN mkdir -p /d/e && echo 1 > /d/e/f && echo 1 > /g\n', {
      tags: ['base'],
    });
    const steps = [
      'RUN rm -r /d && mkdir /d && echo 2 > /d/new && rm /g && ln -s d /g && rm /etc/group',
      'RUN find /d /g/ -type f && ! test -e /etc/group && ls -A /etc',
    ];
    await made.build(`FROM base\n${steps.join('\n')}\n`, { noCache: true });
    expect(made.output()).toBe('/d/new\n/g/new\nhostname\nhosts\npasswd\nresolv.conf\n');
  });

  it('has the given time on the folders that WORKDIR makes, and on no others', async () => {
    const epoch = 1_234_567_890;
    const text = `FROM busybox
RUN mkdir /old && touch -d @1000 /old
WORKDIR /old/new/deep
USER www-data
WORKDIR /own
RUN stat -c '%n %Y %U' /old /old/new /old/new/deep /own
`;
    await made.build(text, { noCache: true, epoch });
    expect(made.output()).toBe(
      `/old 1000 root\n/old/new ${epoch} root\n/old/new/deep ${epoch} root\n/own ${epoch} www-data\n`,
    );
  });

  it('makes an empty layer where nothing changes, as BuildKit does, and so does WORKDIR', async () => {
    const text = 'FROM busybox\nRUN true\nWORKDIR /bin\nRUN ls busybox\n';
    const image = await made.build(text, { noCache: true });
    expect(image.config.rootfs.diff_ids.slice(1)).toEqual([EMPTY_LAYER, EMPTY_LAYER, EMPTY_LAYER]);
    expect(image.config.history?.slice(1).map(({ empty_layer }) => empty_layer)).toEqual([
      ...[undefined, undefined, undefined],
    ]);
    await made.build(text);
    expect(Object.values(made.outcomes())).toEqual(['cached', 'cached', 'cached', 'cached']);
  });

  it('makes it in two branches at the same time', async () => {
    const stages = ['a', 'b'].map((name) => `FROM busybox AS ${name}\nRUN : ${name}\n`).join('');
    const image = await made.build(`${stages}FROM a\nCOPY --from=b /bin/busybox /b\n`, { noCache: true });
    expect(image.config.rootfs.diff_ids).toHaveLength(3);
  });

  it('leaves nothing of ours in the image: no mount targets, no files of the build', async () => {
    const copy = 'COPY --from=busybox /bin/busybox /bin/sh';
    const image = await made.build(`FROM scratch\n${copy}\nRUN ["/bin/sh", "-c", "echo x > /x"]\n`);
    const index = await openIndexStore(made.store.paths.root).get(image.config.rootfs.diff_ids[1]!);
    expect(Array.from({ length: index!.count }, (_, position) => index!.at(position).path)).toEqual(['x']);
  });

  it('writes to /etc/hosts of its own step alone', async () => {
    const text = await printed(
      'RUN echo 1.2.3.4 x >> /etc/hosts\nRUN grep -c 1.2.3.4 /etc/hosts || echo gone',
    );
    expect(text).toBe('0\ngone\n');
  });

  it('prints 200 MB without holding them', async () => {
    let bytes = 0;
    const before = process.memoryUsage().rss;
    let most = 0;
    const emit = (news: { type: string; data?: Uint8Array }) => {
      if (news.type !== 'output') return;
      bytes += news.data!.length;
      most = Math.max(most, process.memoryUsage.rss());
    };
    const { buildImage } = await import('../../src/builder/build.ts');
    const request = made.request('FROM busybox\nRUN head -c 200000000 /dev/zero\n', { noCache: true });
    await buildImage(made.engine, { ...made.call, emit }, request);
    expect(bytes).toBe(200_000_000);
    expect(most - before).toBeLessThan(120_000_000);
  });
});

describe('a RUN that fails', () => {
  it('names its line, its exit code and what it printed last', async () => {
    const error = await failure('RUN echo one && \\\n  echo two >&2 && exit 3');
    expect(error).toMatchObject({
      code: 'step-failed',
      exitCode: 3,
      location: { file: '-', line: 2, endLine: 3 },
      message:
        'process "/bin/sh -c echo one &&   echo two >&2 && exit 3" did not complete successfully: exit code: 3',
    });
    expect(error.report.stepLabel).toBe('[2/2] RUN echo one &&   echo two >&2 && exit 3');
    expect(error.report.outputTail?.split('\n').toSorted()).toEqual(['one', 'two']);
    expect(error.report.excerpt).toContain('   2 | >>> RUN echo one && \\\n   3 | >>>   echo two');
    expect(made.outcomes()).toMatchObject({ '[2/2] RUN echo one &&   echo two >&2 && exit 3': 'failed' });
  });

  it('tells a command that is not there, and one that cannot be executed', async () => {
    expect(await failure('RUN ["nothing-such"]')).toMatchObject({ code: 'step-failed', exitCode: 127 });
    expect(await failure('RUN ["/etc/passwd"]')).toMatchObject({ code: 'step-failed', exitCode: 126 });
  });

  it('tells a user that the image does not know', async () => {
    const error = await failure('USER nobody-such\nRUN true');
    expect(error).toMatchObject({ code: 'step-failed', message: expect.stringContaining('nobody-such') });
    expect(error.location?.line).toBe(3);
  });

  it('keeps the steps before it in the cache', async () => {
    await failure('RUN echo kept > /kept\nRUN false');
    await failure('RUN echo kept > /kept\nRUN false');
    expect(made.outcomes()).toMatchObject({
      '[2/3] RUN echo kept > /kept': 'cached',
      '[3/3] RUN false': 'failed',
    });
  });

  it('gives up steps that run beside it', async () => {
    const sleep = ownSleep();
    const shared = '--mount=type=cache,id=beside,target=/c';
    const slow = `RUN ${shared} touch /c/on && ${sleep}`;
    const text = `FROM busybox AS slow
${slow}
FROM busybox AS bad
RUN ${shared} until test -e /c/on; do sleep 0.02; done; false
FROM busybox
COPY --from=slow /bin/sh /a
COPY --from=bad /bin/sh /b
`;
    await expect(made.build(text)).rejects.toMatchObject({ code: 'step-failed' });
    expect(made.outcomes()).toMatchObject({ [`[slow 2/2] ${slow}`]: 'cancelled' });
    expect(isRunning(sleep)).toBe(false);
  });
});

describe('an interrupted build', () => {
  it('ends its commands and leaves no folder, process or container', async () => {
    const controller = new AbortController();
    const sleep = ownSleep();
    const running = made.build(`FROM busybox\nRUN echo started && ${sleep}\n`, {
      signal: controller.signal,
    });
    await vi.waitUntil(() => made.output().includes('started'), PATIENCE_MS);
    controller.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
    expect(await readdir(join(made.store.paths.root, 'builds'))).toEqual([]);
    expect(isRunning(sleep)).toBe(false);
    const crun = join(made.store.paths.run, 'crun');
    expect(existsSync(crun) ? await readdir(crun) : []).toEqual([]);
  });
});

describe('a network', () => {
  it('of its own with an address, the host’s, or none, as asked', async () => {
    const count = async (network: 'default' | 'host' | 'none', flag = '') =>
      (await printed(`RUN ${flag} ip -o -4 addr | awk '{print $2, $4}'`, { network })).trimEnd().split('\n');
    expect(await count('none')).toEqual(['lo 127.0.0.1/8']);
    expect(await count('default')).toEqual(['lo 127.0.0.1/8', expect.stringMatching(/^eth0 10\./)]);
    expect(await count('default', '--network=none')).toEqual(['lo 127.0.0.1/8']);
    expect(await printed('RUN readlink /proc/self/ns/net', { network: 'host' })).toBe(
      `${await import('node:fs').then((fs) => fs.readlinkSync('/proc/self/ns/net'))}\n`,
    );
  });

  it('is one for all steps of a build, and goes with it', async () => {
    const text = await printed('RUN readlink /proc/self/ns/net\nRUN readlink /proc/self/ns/net', {
      network: 'default',
    });
    const [first, second] = text.trimEnd().split('\n');
    expect(first).toBe(second);
    expect(await readdir(join(made.folder, 'network/netns'))).toEqual([]);
  });

  it('knows extra hosts', async () => {
    const run = { extraHosts: [{ name: 'db', address: '10.1.2.3' }] };
    expect(await printed('RUN grep db /etc/hosts', { run })).toBe('10.1.2.3\tdb\n');
  });
});

describe('a hostile base image', () => {
  const build = async (config: Parameters<typeof addBusyboxImage>[1] = {}, steps = 'RUN true') => {
    await addBusyboxImage(made.store, { reference: 'hostile', ...config });
    return await made.build(`FROM hostile\n${steps}\n`, { noCache: true }).then(
      () => made.output(),
      (error: BuildError) => error,
    );
  };

  it.each(['/proc/self/fd/9', '/proc/self/fd/../fd/7', '/proc/1/root'])(
    'cannot start in %s',
    async (WorkingDir) => {
      expect(await build({ config: { WorkingDir } })).toMatchObject({ code: 'step-failed' });
    },
  );

  it('cannot leave its root by WORKDIR', async () => {
    expect(await build({ config: { WorkingDir: '/../../../etc' } }, 'RUN pwd && ls passwd')).toBe(
      '/etc\npasswd\n',
    );
    const layers = [[{ path: 'out', type: 'symlink', target: '../../../../../tmp' }]] as const;
    await build(
      { layers },
      'WORKDIR /out/ocits-escape\nRUN touch here && readlink -f /out/ocits-escape/here',
    );
    expect(made.output()).toBe('/tmp/ocits-escape/here\n');
    expect(existsSync('/tmp/ocits-escape')).toBe(false);
  });

  it('cannot have a user above 2^31-1', async () => {
    for (const User of ['4294967296', '2147483648', '4294967297:0']) {
      expect(await build({ config: { User } })).toMatchObject({ code: 'step-failed' });
    }
  });

  it('gets fresh mount targets whatever it has there', async () => {
    const layers = [
      [
        { path: 'etc/resolv.conf', type: 'symlink', target: '/etc/passwd' },
        { path: 'etc/hosts', type: 'fifo' },
        { path: 'etc/hostname', type: 'char', major: 1, minor: 3 },
      ],
    ] as const;
    expect(await build({ layers }, 'RUN cat /etc/hostname && head -1 /etc/passwd')).toBe(
      'buildkitsandbox\nroot:x:0:0:root:/root:/bin/sh\n',
    );
  });

  it('cannot pass for a result of the cache', async () => {
    // The layer that a RUN would make is pulled under the RUN's own text, as a history and as a label.
    const fake = tarBytes([{ path: 'fake', content: 'x' }]);
    await addImage(made.store, {
      reference: 'fake',
      layers: [fake],
      config: { Labels: { 'RUN echo real': 'x' } },
    });
    await made.build('FROM busybox\nRUN echo real > /real\n');
    expect(made.outcomes()).toMatchObject({ '[2/2] RUN echo real > /real': 'done' });
  });
});
