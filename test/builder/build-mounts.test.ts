import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openIndexStore } from '../../src/layer/index/index-store.ts';
import { type BuildOptions, buildHost, type TestBuildHost } from '../support/builder/build-host.ts';
import { addBusyboxImage } from '../support/image/busybox-image.ts';

let made: TestBuildHost;
beforeAll(async () => {
  made = await buildHost();
});
afterAll(async () => {
  await made[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rm(made.context, { recursive: true });
  await mkdir(made.context);
});

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(contents)) {
    const full = join(made.context, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
  }
}

async function printed(steps: string, options: BuildOptions = {}): Promise<string> {
  await made.build(`FROM busybox\n${steps}\n`, options);
  return made.output();
}

/** The paths that the last layer of an image lists. */
async function lastLayer(diffIds: readonly unknown[]): Promise<string[]> {
  const index = await openIndexStore(made.store.paths.root).get(diffIds.at(-1) as never);
  return Array.from({ length: index!.count }, (_, position) => index!.at(position).path);
}

describe('RUN --mount=type=cache', () => {
  it('keeps its content between builds and out of the image', async () => {
    const step = (word: string) =>
      `FROM busybox\nRUN --mount=type=cache,target=/root/.cache/x,id=one ls /root/.cache/x; echo ${word} > /root/.cache/x/${word} && echo ${word} > /done\n`;
    await made.build(step('first'));
    expect(made.output()).toBe('');
    const image = await made.build(step('second'));
    expect(made.output()).toBe('first\n');
    expect(await lastLayer(image.config.rootfs.diff_ids)).toEqual(['done']);
  });

  it('is another for another id, owned as asked', async () => {
    const mount = '--mount=type=cache,target=cache,uid=33,gid=50,mode=0770';
    expect(await printed(`WORKDIR /w\nRUN ${mount} stat -c '%n %a %u:%g' /w/cache`)).toBe(
      '/w/cache 770 33:50\n',
    );
  });

  it('is another for another owner or mode, and keeps each', async () => {
    const step = (options: string) =>
      `RUN --mount=type=cache,id=access,target=/c${options} cat /c/* 2>/dev/null; stat -c '%a %u:%g' /c; echo has${options} > /c/f`;
    const all = ['', ',uid=33', ',uid=33,gid=50', ',mode=0700', ',uid=0'].map(step).join('\n');
    const owners = ['755 0:0', '755 33:0', '755 33:50', '700 0:0', '755 0:0'];
    expect(await printed(all, { noCache: true })).toBe(owners.map((line) => `${line}\n`).join(''));
    expect(await printed(all, { noCache: true })).toBe(
      `has\n755 0:0\nhas,uid=33\n755 33:0\nhas,uid=33,gid=50\n755 33:50\nhas,mode=0700\n700 0:0\nhas,uid=0\n755 0:0\n`,
    );
  });

  it('is named by its target as it is written, as BuildKit names it', async () => {
    const steps = `WORKDIR /one
RUN --mount=type=cache,target=rel/ echo 1 > rel/f
WORKDIR /two
RUN --mount=type=cache,target=./rel cat rel/f
RUN --mount=type=cache,target=/two/rel ls /two/rel
RUN --mount=type=cache,target=/abs/./x/ echo 2 > /abs/x/g
RUN --mount=type=cache,target=/abs/x cat /abs/x/g
`;
    expect(await printed(steps, { noCache: true })).toBe('1\n2\n');
  });

  it('cannot show a part of itself', async () => {
    await expect(printed('RUN --mount=type=cache,source=/s,target=/c true')).rejects.toMatchObject({
      code: 'unsupported',
      location: { line: 2, column: 13 },
    });
  });

  it('that is locked is used by one step at a time', async () => {
    const run = (name: string) =>
      `FROM busybox AS ${name}\nRUN --mount=type=cache,id=lock,sharing=locked,target=/c echo ${name} in && sleep 0.3 && echo ${name} out\n`;
    const text = `${run('a')}${run('b')}FROM scratch\nCOPY --from=a /bin/sh /a\nCOPY --from=b /bin/sh /b\n`;
    await made.build(text, { noCache: true });
    const order = made.output().trim().split('\n');
    expect(order[0]!.slice(0, 1)).toBe(order[1]!.slice(0, 1));
    expect(order[2]!.slice(0, 1)).toBe(order[3]!.slice(0, 1));
  });
});

describe('RUN --mount=type=bind', () => {
  it('shows the context without what is ignored, and reads its files for the key', async () => {
    await files({ '.dockerignore': 'secret\n', secret: 's', 'src/a': '1', b: '2' });
    const steps =
      'RUN --mount=type=bind,target=/ctx find /ctx -type f | sort && cat /ctx/src/a && echo built > /out';
    expect(await printed(steps)).toBe('/ctx/.dockerignore\n/ctx/b\n/ctx/src/a\n1');
    await printed(steps);
    expect(Object.values(made.outcomes())).toEqual(['cached', 'cached']);
    await files({ 'src/a': '9' });
    const image = await made.build(`FROM busybox\n${steps}\n`);
    expect(made.reasons()).toEqual({ [`[2/2] ${steps}`]: 'changed: mounted' });
    expect(await lastLayer(image.config.rootfs.diff_ids)).toEqual(['out']);
  });

  it('shows one file, and throws away what is written', async () => {
    await files({ 'conf/a.txt': 'text\n' });
    const bind = '--mount=type=bind,source=conf/a.txt,target=/etc/a.txt';
    expect(await printed(`RUN ${bind} cat /etc/a.txt && ! echo x > /etc/a.txt`)).toContain('text\n');
    const writable = '--mount=type=bind,source=conf,target=/conf,rw';
    expect(await printed(`RUN ${writable} echo new > /conf/a.txt && cat /conf/a.txt`)).toBe('new\n');
    expect(await printed(`RUN ${writable} cat /conf/a.txt && true`)).toBe('text\n');
  });

  it('shows a stage or an image, and no symlink of theirs leads outside', async () => {
    const text = `FROM busybox AS one
RUN mkdir -p /out/d && echo 1 > /out/d/f && ln -s /out/d /link && ln -s ../../../../../../etc /evil
FROM busybox
RUN --mount=from=one,source=/link,target=/m cat /m/f && ! test -e /m/x
RUN --mount=from=one,source=/evil,target=/m cat /m/hostname 2>/dev/null || ls /m
RUN --mount=from=busybox,target=/m ls -d /m/bin
`;
    await made.build(text, { noCache: true });
    expect(made.output()).toBe('1\ngroup\npasswd\n/m/bin\n');
  });

  it('tells a source that is not there, at its mount', async () => {
    await expect(printed('RUN --mount=type=bind,source=nowhere,target=/m true')).rejects.toMatchObject({
      code: 'not-found',
      location: { line: 2, column: 13 },
    });
  });
});

describe('a mount without a target', () => {
  it('is at the working directory, whatever its type', async () => {
    await files({ mine: 'context\n', 'sub/x': 'sub\n' });
    const text = `FROM busybox AS tools
RUN mkdir /t && echo tool > /t/f
FROM busybox
WORKDIR /w
RUN --mount=from=tools,source=/t pwd && cat f
RUN --mount=ro cat mine && ! touch new 2>/dev/null
RUN --mount=rw cat /w/mine && touch new
RUN --mount=type=bind,target=,source=sub cat x
RUN --mount=type=tmpfs mount | grep -c ' on /w type tmpfs'
RUN --mount=type=tmpfs,ro ! touch new 2>/dev/null
RUN --mount=type=cache echo kept > f
RUN --mount=type=cache cat f
RUN ls -A /w
`;
    await made.build(text, { noCache: true });
    expect(made.output()).toBe('/w\ntool\ncontext\ncontext\nsub\n1\nkept\n');
  });

  it.each(['rw', 'type=cache', 'type=tmpfs', 'type=tmpfs,target=/', 'target=/w/..'])(
    'cannot be at the root: %s',
    async (mount) => {
      await expect(made.build(`FROM busybox\nRUN --mount=${mount} true\n`)).rejects.toMatchObject({
        code: 'invalid-argument',
        message: 'nothing can be mounted on / of a build step',
        location: { line: 2, column: 13 },
      });
    },
  );
});

describe('other mounts', () => {
  it('tmpfs is empty, and gone afterwards', async () => {
    const text = await printed(
      'RUN --mount=type=tmpfs,target=/t,size=1m echo x > /t/x && df -k /t | tail -1 && ls /t',
    );
    expect(text).toMatch(/^tmpfs +1024 .*\nx\n$/);
  });

  it('secrets are files or variables, and nowhere in the image or its history', async () => {
    const secrets = new Map([['token', { value: 'hunter2' }]]);
    const steps = [
      'RUN --mount=type=secret,id=token cat /run/secrets/token && stat -c %a /run/secrets/token && touch /a',
      'RUN --mount=type=secret,id=token,env=TOKEN echo $TOKEN > /dev/stdout && touch /b',
      'RUN --mount=type=secret,id=token,target=/root/.npmrc,mode=0444 cat /root/.npmrc && touch /c',
      'RUN --mount=type=secret,id=other ls /run/secrets 2>/dev/null || echo none',
    ];
    const run = { secrets };
    expect(await printed(steps.join('\n'), { run })).toBe('hunter2400\nhunter2\nhunter2none\n');
    const image = await made.build(`FROM busybox\n${steps.join('\n')}\n`, { run });
    expect(JSON.stringify(image.config)).not.toContain('hunter2');
    const layers = image.config.rootfs.diff_ids.slice(1);
    expect(await Promise.all(layers.map((diffId) => lastLayer([diffId])))).toEqual([['a'], ['b'], ['c'], []]);
    await expect(printed('RUN --mount=type=secret,id=no,required true')).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('a secret is in /run/secrets by the last part of its ID', async () => {
    const run = { secrets: new Map([['team/token', { value: 'hunter2' }]]) };
    const step = 'RUN --mount=type=secret,id=team/token cat /run/secrets/token';
    expect(await printed(step, { run })).toBe('hunter2');
  });

  it('an SSH agent that nobody gives is left out, unless it is required', async () => {
    expect(await printed('RUN --mount=type=ssh,id=default echo "agent:$SSH_AUTH_SOCK"')).toBe('agent:\n');
    await expect(printed('RUN --mount=type=ssh,required true')).rejects.toMatchObject({
      code: 'unsupported',
      location: { line: 2, column: 13 },
    });
  });

  it('over what the image has there leave the image as it was', async () => {
    const layers = [[{ path: 'm', type: 'symlink', target: '/etc' }]] as const;
    await addBusyboxImage(made.store, { reference: 'linked', layers });
    await files({ f: 'f' });
    const image = await made.build('FROM linked\nRUN --mount=type=bind,target=/m ls /m && touch /x\n');
    expect(made.output()).toBe('f\n');
    expect(await lastLayer(image.config.rootfs.diff_ids)).toEqual(['x']);
  });
});
