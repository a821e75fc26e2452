import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ContainerLab } from '../support/container/container-lab.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
  await lab.sh('true');
});

afterAll(async () => await lab[Symbol.asyncDispose]());

interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Calls ocits with words as they are typed, split at blanks; an underscore stands for a blank in a word. */
async function ocits(
  line: string,
  options: { readonly script?: string; readonly input?: string } = {},
): Promise<Called> {
  const typed = line.split(' ').filter((word) => word !== '');
  const words = [
    ...typed.map((word) => word.replaceAll('_', ' ')),
    ...(options.script === undefined ? [] : [options.script]),
  ];
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: {
      ...process.env,
      OCITS_ROOT: lab.paths.root,
      OCITS_RUN: lab.paths.run,
      NO_COLOR: '1',
      FROMHOST: 'yes',
    },
  });
  child.stdin.end(options.input ?? '');
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, out, err };
}

/** The same for a call that must go well: its output. */
async function call(line: string, script?: string): Promise<string> {
  const { code, out, err } = await ocits(line, script === undefined ? {} : { script });
  expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
  return out;
}

describe('run', () => {
  test('takes flags as people type them, and ends them at the image', async () => {
    expect(await call('run --rm busybox ls -d /etc --')).toBe('/etc\n');
    expect(
      await call(
        'run --rm=true --network none -e A=1 -eB=2 -e FROMHOST -w /tmp busybox sh -c',
        'echo $A $B $FROMHOST; pwd',
      ),
    ).toBe('1 2 yes\n/tmp\n');
    expect(await call('run --rm --network=none --entrypoint /bin/echo busybox --help -it')).toBe(
      '--help -it\n',
    );
  });

  test('ends as the container does, and with 125 to 127 as Docker', async () => {
    const codes = async (...lines: string[]) => {
      const results = await Promise.all(lines.map((line) => ocits(line)));
      return results.map(({ code }) => code);
    };
    expect(
      await codes(
        'run --rm --network none busybox sh -c exit_42',
        'run --rm --network none busybox nosuch',
        'run --rm --network none busybox /etc/passwd',
        'run --nosuchflag busybox',
        'run --rm --pull never nosuchimage',
        'run --rm --network mine busybox',
        'run --rm --restart always busybox',
        'run',
      ),
    ).toEqual([42, 127, 126, 125, 125, 125, 125, 1]);
    expect(await lab.remains()).toEqual([]);
  });

  test('passes standard input on, with and without --rm', async () => {
    for (const flags of ['--rm -i', '-i --name reader']) {
      const result = await ocits(`run --network none ${flags} busybox cat`, { input: 'line\n'.repeat(1000) });
      expect(result).toEqual({ code: 0, out: 'line\n'.repeat(1000), err: '' });
    }
    expect(await call('logs --tail 1 reader')).toBe('line\n');
    await call('rm reader');
  });

  test('has a terminal also where there is none, and says where it cannot', async () => {
    expect(await call('run --rm -t --network none busybox tty')).toBe('/dev/pts/0\r\n');
    expect(await ocits('run --rm -it busybox sh')).toMatchObject({
      code: 1,
      err: expect.stringContaining('the input device is not a TTY'),
    });
  });

  test('writes the ID to a file, once', async () => {
    const file = join(lab.folder, 'cid');
    const id = (await call(`run -d --rm --network none --cidfile ${file} busybox true`)).trim();
    expect(readFileSync(file, 'utf8')).toBe(id);
    expect(await ocits(`run --cidfile ${file} busybox`)).toMatchObject({ code: 125 });
    const nowhere = await ocits(`run --rm --network none --cidfile ${file}/x busybox true`);
    expect(nowhere).toMatchObject({
      code: 125,
      err: expect.stringMatching(/^ocits: cannot write the container's ID/),
    });
  });
});

test('a container in the background, from run to rm', async () => {
  const script =
    'echo started; mkdir -p /www; echo page > /www/index.html; trap "exit 0" TERM; httpd -p 80 -h /www; while :; do sleep 0.1; done';
  const id = (
    await call('run -d --name web -p 127.0.0.1::80 --label tier=front busybox sh -c', script)
  ).trim();
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  const table = await call('ps');
  expect(table).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/);
  expect(table).toMatch(
    new RegExp(
      `\n${id.slice(0, 12)} +busybox +"sh -c 'echo started…" .*ago +Up .* 127\\.0\\.0\\.1:\\d+->80/tcp +web\n$`,
    ),
  );
  const address = (await call('port web 80')).trim();
  expect(await call('port web')).toBe(`80/tcp -> ${address}\n`);
  // The command returns when the container has started, which is before its server listens.
  const page = await vi.waitFor(async () => await fetch(`http://${address}/`), { timeout: PATIENCE_MS });
  expect(await page.text()).toBe('page\n');
  expect(await call('exec -e X=1 -w /www -u nobody web sh -c', 'echo $X; pwd; id -un')).toBe(
    '1\n/www\nnobody\n',
  );
  expect(await ocits('exec web nosuch')).toMatchObject({ code: 127 });
  expect(await ocits('exec web sh -c exit_9')).toMatchObject({ code: 9 });
  const top = await call('top web -o pid,comm');
  expect(top).toMatch(/^ *PID COMMAND\n/);
  // By process IDs: where they have begun again from 1, the first process is not the first line.
  expect(top).toMatch(/^ *\d+ sh$/m);
  expect(await call('inspect -f {{.State.Status}}:{{index_.Config.Labels_"tier"}} web')).toBe(
    'running:front\n',
  );
  expect(await ocits('rm web')).toMatchObject({
    code: 1,
    err: expect.stringContaining('container web is running'),
  });
  expect(await call('stop -t 10 web')).toBe('web\n');
  expect(await call('ps -q')).toBe('');
  expect(await call('ps -aq --no-trunc')).toBe(`${id}\n`);
  expect(await call('wait web')).toBe('0\n');
  expect(await call('start web')).toBe('web\n');
  await vi.waitFor(async () => expect(await call('logs web')).toBe('started\nstarted\n'), {
    timeout: PATIENCE_MS,
  });
  expect(await call('kill -s KILL web')).toBe('web\n');
  expect(await call('wait web')).toBe('137\n');
  expect(await call('logs web')).toBe('started\nstarted\n');
  expect(await ocits('rm web nosuch')).toMatchObject({
    code: 1,
    out: 'web\n',
    err: expect.stringContaining('No such container: nosuch'),
  });
  expect(await ocits('rm -f nosuch')).toMatchObject({
    code: 0,
    out: '',
    err: expect.stringContaining('No such container: nosuch'),
  });
});

describe('listings', () => {
  test('have formats, JSON and filters', async () => {
    const id = (
      await call('create --name listed --label a=b -v data:/d --network none busybox echo hi')
    ).trim();
    expect(await call('ps -a --format {{.Names}}|{{.State}}|{{.Label_"a"}}|{{.Mounts}}')).toBe(
      'listed|created|b|data\n',
    );
    expect(JSON.parse(await call('ps -a --json'))).toMatchObject([
      { ID: id.slice(0, 12), Status: 'Created', Names: 'listed' },
    ]);
    expect(await call('container ls -a -f status=exited -q')).toBe('');
    expect(await ocits('ps -f nosuch=1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('invalid filter'),
    });
    for (const list of [
      'ps -f status=bogus',
      'volume ls -f dangling=x',
      'network ls -f type=x',
      'images -f until=x',
    ]) {
      expect(await ocits(list)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('filter') });
    }
    expect(await call('volume ls -q -f name=^da -f name=x')).toBe('data\n');
    expect(await call('network ls -q --filter name=^h')).toBe('host\n');
    expect(JSON.parse(await call('container inspect listed'))).toMatchObject([
      { Id: id, State: { Status: 'created' } },
    ]);
    expect(await call('volume ls -q')).toBe('data\n');
    expect(JSON.parse(await call('volume inspect data'))).toMatchObject([{ Name: 'data', Driver: 'local' }]);
    expect(await ocits('volume rm data')).toMatchObject({
      code: 1,
      err: expect.stringContaining('in use by listed'),
    });
    expect((await ocits('container prune', { input: 'n\n' })).out).toBe('');
    expect(await call('container prune -f')).toBe(
      `Deleted Containers:\n${id}\n\nTotal reclaimed space: 0B\n`,
    );
    expect(await call('volume rm data')).toBe('data\n');
    expect(await ocits('inspect nosuch')).toMatchObject({ code: 1, out: '[]\n' });
  });

  test('flags that Docker takes and that say nothing are taken', async () => {
    const told = /^Flag --disable-content-trust has been deprecated, [a-z ]+\n$/;
    for (const command of ['create', 'run --rm --network none']) {
      const line = `${command} --no-healthcheck --disable-content-trust --name plain busybox true`;
      expect(await ocits(line)).toMatchObject({ code: 0, err: expect.stringMatching(told) });
      await ocits('rm -f plain');
    }
    expect(await call('volume create --name other')).toBe('other\n');
    expect(JSON.parse(await call('volume inspect other'))).toMatchObject([{ Name: 'other' }]);
    expect(await call('volume rm other')).toBe('other\n');
    expect(await ocits('volume create --name other another')).toMatchObject({
      code: 1,
      err: expect.stringContaining('conflicting options'),
    });
    const nameless = (await call('volume create --name=')).trim();
    expect(nameless).toMatch(/^[0-9a-f]{64}$/);
    expect(await call('volume prune -f')).toContain(nameless);
    expect((await ocits('build --disable-content-trust /no/such')).err).toMatch(
      /^Flag --disable-content-trust/,
    );
  });

  test('networks are those that there are', async () => {
    expect(await call('network ls --format {{.Name}}:{{.Driver}}')).toBe(
      'bridge:bridge\nhost:host\nnone:null\n',
    );
    expect(JSON.parse(await call('network inspect bridge none'))).toMatchObject([
      {
        Name: 'bridge',
        Driver: 'bridge',
        IPAM: { Config: [{ Subnet: expect.stringMatching(/^[\d.]+\/\d+$/) }] },
      },
      { Name: 'none', Driver: 'null' },
    ]);
    expect(await ocits('network inspect mine')).toMatchObject({ code: 1, out: '[]\n' });
    expect((await ocits('network prune -f')).code).toBe(0);
  });

  test('export writes the tree of a container, running or not', async () => {
    const file = join(lab.folder, 'tree.tar');
    await call('create --name source --network none busybox sh -c', 'echo new > /made; sleep 60');
    await call('start source');
    await call(`export -o ${file} source`);
    await call('kill source');
    await call('wait source');
    expect(existsSync(file)).toBe(true);
    const stopped = await ocits('export source');
    expect(stopped.code).toBe(0);
    // Named as Docker names them: without a ./ before.
    for (const tree of [readFileSync(file, 'latin1'), stopped.out]) {
      expect(tree).toContain('\0made\0');
      expect(tree).not.toContain('./made');
    }
    await call('rm source');
  });
});
