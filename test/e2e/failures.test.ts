import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CommandLine, type Finished } from '../support/program/command-line.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

let ocits: CommandLine;
let answering: Server;
/** A registry that answers every request for a repository `aNNN` with that status. */
let refusing: string;

beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
  await ocits.ok('pull', '-q', 'busybox');
  answering = createServer((request, response) => {
    const status = Number(/\/a(\d{3})\//.exec(request.url ?? '')?.[1] ?? 200);
    if (status === 401) response.setHeader('www-authenticate', 'Basic realm="test"');
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
  refusing = `127.0.0.1:${(answering.address() as AddressInfo).port}`;
});

afterAll(async () => {
  answering.closeAllConnections();
  answering.close();
  await ocits[Symbol.asyncDispose]();
});

/** After every failure: no container, mount, namespace or folder is left, and the store works. */
afterEach(async () => {
  expect(await ocits.ok('ps', '-aq')).toBe('');
  expect(leftBehind()).toEqual([]);
  expect(await ocits.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe('busybox:latest\n');
});

function leftBehind(): string[] {
  const below = (name: string) =>
    existsSync(join(ocits.folder, name)) ? readdirSync(join(ocits.folder, name)) : [];
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(ocits.folder));
  const containers = below('root/containers').filter((name) => name !== 'by-name');
  const live = below('run/live').filter((name) => name !== 'complete');
  return [...containers, ...live, ...below('root/builds'), ...below('root/volumes'), ...mounts];
}

interface Expected {
  readonly code: number;
  /** The whole of the message, without `ocits: `. */
  readonly message: RegExp;
  readonly hint: RegExp;
}

/** One message, and what to do about it, and nothing else but progress. */
function expectFailure({ code, stdout, stderr }: Finished, expected: Expected): void {
  const lines = stderr.trimEnd().split('\n');
  const own = lines.filter((line) => line.startsWith('ocits: '));
  const hints = lines.filter((line) => line.startsWith('hint: '));
  expect({ stderr, code }).toMatchObject({ code: expected.code });
  expect(stdout).toBe('');
  expect(own).toHaveLength(1);
  expect(hints).toHaveLength(1);
  expect(own[0]).toMatch(expected.message);
  expect(hints[0]).toMatch(expected.hint);
  expect(lines.slice(-2)).toEqual([own[0], hints[0]]);
  expect(stderr).not.toMatch(/a fault in ocits|\n +at /);
}

const run = (...args: string[]) => ocits.run(['run', '--rm', '--network', 'none', ...args]);

describe('a registry', () => {
  test.each([
    ['pull', 1],
    ['run', 125],
  ])('that is not there: %s', async (command, code) => {
    expectFailure(await ocits.run([command, '127.0.0.1:1/a/b']), {
      code,
      message: /127\.0\.0\.1:1\/a\/b:latest: 127\.0\.0\.1:1 refuses the connection/,
      hint: /is a registry running/,
    });
    expectFailure(await ocits.run([command, 'registry.invalid/a/b']), {
      code,
      message: /there is no host registry\.invalid/,
      hint: /check the name of the registry/,
    });
  });

  test.each([
    [401, /authentication is required/, /ocits login 127/],
    [403, /access is denied/, /ocits login 127/],
    [404, /not found/, /check the name and the tag/],
  ])('that answers %s: pull, run, push and build', async (status, message, hint) => {
    const name = `${refusing}/x/a${status}`;
    expectFailure(await ocits.run(['pull', name]), { code: 1, message, hint });
    expectFailure(await ocits.run(['run', '--rm', name]), { code: 125, message, hint });
    const context = ocits.context({ Dockerfile: `FROM ${name}\n` });
    expectFailure(await ocits.run(['build', context]), { code: 1, message, hint });
    await ocits.ok('tag', 'busybox', name);
    const pushed = await ocits.run(['push', name]);
    await ocits.ok('rmi', name);
    expectFailure(pushed, { code: 1, message, hint });
  });

  test('without the name or the tag, or for another platform', async () => {
    expectFailure(await ocits.run(['pull', 'busybox:nope']), {
      code: 1,
      message: /busybox:nope: .*not found/,
      hint: /check the name and the tag/,
    });
    const platform = {
      message: /has no image for linux\/s390x; there is linux\//,
      hint: /--platform linux\//,
    };
    expectFailure(await ocits.run(['pull', '--platform', 'linux/s390x', 'busybox']), {
      code: 1,
      ...platform,
    });
    expectFailure(await run('--platform', 'linux/s390x', 'busybox'), { code: 125, ...platform });
  });

  test('is not asked for a name that cannot be', async () => {
    for (const name of [
      'Busybox',
      'a//b',
      'busybox@sha256:../../etc/passwd',
      'busybox:..',
      '-x'.repeat(200),
    ]) {
      const { code, stderr } = await ocits.run(['pull', '--', name]);
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^ocits: .*\n(hint: .*\n)?$/),
      });
    }
  });
});

describe('the host', () => {
  /** The program in a mount namespace of its own, after `prepare`. */
  function inNamespace(prepare: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Finished {
    const [program, ...words] = ocits.command(args);
    const script = `set -e; ${prepare}; exec "$@"`;
    const wrapped = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', program!, ...words];
    const { status, stdout, stderr } = spawnSync('unshare', wrapped, {
      env: { ...ocits.env, ...env },
      encoding: 'utf8',
    });
    return { code: status ?? -1, stdout, stderr };
  }

  const build = () => ['build', '--no-cache', ocits.context({ Dockerfile: 'FROM busybox\nRUN true\n' })];

  test.each([
    ['is not there', '', /crun is not installed/, /apt-get install crun/],
    [
      'is too old',
      'echo crun version 0.17',
      /crun 0\.17 is too old: ocits needs 1\.8/,
      /install a newer crun/,
    ],
  ])('has a crun that %s', async (_what, script, message, hint) => {
    const fake = join(ocits.folder, 'crun');
    writeFileSync(fake, `#!/bin/sh\n[ "$1" = --version ] || exit 1\n${script}\n`);
    chmodSync(fake, script === '' ? 0o644 : 0o755);
    const hide = `mount --bind '${fake}' /usr/bin/crun`;
    expectFailure(inNamespace(hide, ['run', '--rm', 'busybox', 'true']), { code: 125, message, hint });
    expectFailure(inNamespace(hide, build()), { code: 1, message, hint });
    const detached = inNamespace(hide, ['run', '-d', '--name', 'detached', 'busybox', 'true']);
    // As with Docker it stays, to be started again.
    await ocits.ok('rm', 'detached');
    expectFailure(detached, { code: 125, message, hint });
    const check = inNamespace(hide, ['system', 'check']);
    expect(check).toMatchObject({ code: 1, stdout: expect.stringMatching(/^crun +missing /m) });
    // What needs no crun works.
    expect(inNamespace(hide, ['images', '-q'])).toMatchObject({ code: 0 });
  });

  test.each([
    ['for what is downloaded', '200k'],
    ['for what is unpacked', '1500k'],
  ])('has a full disk %s: nothing is lost', async (_what, size) => {
    const disk = join(ocits.folder, 'disk');
    mkdirSync(disk, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
    const env = { OCITS_ROOT: join(disk, 'root'), OCITS_RUN: join(disk, 'run') };
    try {
      const full = await ocits.run(['pull', 'busybox'], { env });
      expectFailure(full, { code: 1, message: /no space left on device/, hint: /ocits system prune/ });
      expect((await ocits.run(['images', '-q'], { env })).stdout).toBe('');
      const context = ocits.context({ Dockerfile: 'FROM busybox\nRUN true\n' });
      expect((await ocits.run(['build', context], { env })).stderr).toMatch(
        /no space left.*\nhint: free some space/,
      );
      expect((await ocits.run(['system', 'fsck'], { env })).code).toBe(0);
      execFileSync('mount', ['-o', 'remount,size=20m', disk]);
      const again = ['run', '--rm', '--network', 'none', 'busybox', 'echo', 'fine'];
      expect(await ocits.run(again, { env })).toMatchObject({ code: 0, stdout: 'fine\n' });
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('has a disk that a container or a step fills', async () => {
    const disk = join(ocits.folder, 'disk');
    mkdirSync(disk, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    const env = { OCITS_ROOT: join(disk, 'root'), OCITS_RUN: join(disk, 'run') };
    const go = join(ocits.folder, 'go');
    mkdirSync(go);
    const fill = 'until test -e /go/now; do sleep 0.02; done; cat /dev/zero > /big';
    try {
      const words = ['run', '--rm', '--network', 'none', '-v', `${go}:/go`, 'busybox', 'sh', '-c', fill];
      const filled = ocits.run(words, { env });
      await vi.waitUntil(async () => (await ocits.run(['ps', '-q'], { env })).stdout !== '', PATIENCE_MS);
      writeFileSync(join(go, 'now'), '');
      expect(await filled).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('No space left'),
      });
      const half = ocits.context({ Dockerfile: 'FROM busybox\nRUN head -c 3500000 /dev/urandom > /big\n' });
      const built = await ocits.run(['build', '--network', 'none', '-t', 'half', half], { env });
      expect(built).toMatchObject({ code: 1, stderr: expect.stringMatching(/no space left.*\nhint: free/i) });
      expect((await ocits.run(['images', '--format', '{{.Repository}}'], { env })).stdout).toBe('busybox\n');
      expect(readdirSync(join(disk, 'root/builds'))).toEqual([]);
      expect((await ocits.run(['system', 'fsck'], { env })).code).toBe(0);
      const fine = ['run', '--rm', '--network', 'none', 'busybox', 'echo', 'fine'];
      expect(await ocits.run(fine, { env })).toMatchObject({ code: 0, stdout: 'fine\n' });
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('is not root’s: an ordinary user is told so', async () => {
    const asNobody = (args: readonly string[], env: NodeJS.ProcessEnv) => {
      const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
      const options = { env: { ...ocits.env, ...env }, encoding: 'utf8', cwd: '/' } as const;
      const { status, stdout, stderr } = spawnSync('setpriv', [...user, ...ocits.command(args)], options);
      return { code: status ?? -1, stdout, stderr };
    };
    chmodSync(ocits.folder, 0o711);
    const own = join(ocits.folder, 'own');
    mkdirSync(own);
    execFileSync('chown', ['65534', own]);
    const folders = {
      OCITS_ROOT: join(own, 'root'),
      OCITS_RUN: join(own, 'run'),
      HOME: own,
      XDG_CACHE_HOME: own,
    };
    const context = ocits.context({
      Dockerfile: 'FROM busybox\nRUN true\n',
      Copy: 'FROM busybox\nCOPY Copy /\n',
    });
    chmodSync(context, 0o755);
    const hint = /run ocits as root, such as with sudo/;
    expectFailure(asNobody(['run', '--rm', 'busybox'], folders), {
      code: 125,
      message: /running containers needs root/,
      hint,
    });
    expectFailure(asNobody(['pull', 'busybox'], folders), {
      code: 1,
      message: /unpacking images needs root/,
      hint,
    });
    expectFailure(asNobody(['build', context], folders), { code: 1, message: /RUN needs root/, hint });
    expect(asNobody(['build', '-f', join(context, 'Copy'), context], folders)).toMatchObject({ code: 0 });
    expect(asNobody(['ps', '-aq'], folders)).toMatchObject({ code: 0, stdout: '' });
    // The store of root is closed.
    for (const args of [['images'], ['ps'], ['run', '--rm', 'busybox']]) {
      const message = /permission denied|belongs to user 0/;
      expectFailure(asNobody(args, { HOME: own, XDG_CACHE_HOME: own }), {
        code: args[0] === 'run' ? 125 : 1,
        message,
        hint,
      });
    }
  });

  test('is not Linux', async () => {
    const other = join(ocits.folder, 'other.mjs');
    writeFileSync(other, 'Object.defineProperty(process, "platform", { value: "darwin" });');
    const env = { NODE_OPTIONS: `--import=${other}` };
    const hint = /a Linux machine, or in a virtual machine/;
    const context = ocits.context({ Dockerfile: 'FROM busybox\nRUN true\n' });
    expectFailure(await ocits.run(['run', '--rm', 'busybox'], { env }), {
      code: 125,
      message: /needs Linux, and this is darwin/,
      hint,
    });
    expectFailure(await ocits.run(['pull', 'busybox'], { env }), {
      code: 1,
      message: /needs Linux, and this is darwin/,
      hint,
    });
    expectFailure(await ocits.run(['build', '--no-cache', context], { env }), {
      code: 1,
      message: /RUN needs Linux/,
      hint,
    });
    expect(await ocits.run(['images', '-q'], { env })).toMatchObject({ code: 0 });
  });

  test('has an older Node: one line says which is needed', async () => {
    const old = join(ocits.folder, 'old.mjs');
    writeFileSync(
      old,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.14.9' } });`,
    );
    const program = join(import.meta.dirname, '../../bin/ocits.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', old, program, 'version'], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: 'ocits needs Node 22.15 or newer, and this is 22.14.9\n',
    });
  });

  test.each([['--rm'], ['-d']])('has the port in use: run %s', async (flag) => {
    const port = (answering.address() as AddressInfo).port;
    const taken = await ocits.run([
      'run',
      flag,
      '--name',
      'ports',
      '-p',
      `127.0.0.1:${port}:80`,
      'busybox',
      'true',
    ]);
    if (flag === '-d') await ocits.ok('rm', 'ports');
    expectFailure(taken, {
      code: 125,
      message: /port 127\.0\.0\.1:\d+\/tcp is used by another program/,
      hint: /another host port/,
    });
  });
});

describe('a build', () => {
  test('of a Dockerfile with a fault, or without one', async () => {
    const faulty = ocits.context({ Dockerfile: 'FROM busybox\nCOPYY a b\n' });
    expectFailure(await ocits.run(['build', faulty]), {
      code: 1,
      message: /Dockerfile:2:1: unknown instruction "COPYY"/,
      hint: /did you mean COPY/,
    });
    expectFailure(await ocits.run(['build', ocits.context({})]), {
      code: 1,
      message: /there is no Dockerfile in/,
      hint: /-f/,
    });
    const nowhere = await ocits.run(['build', join(ocits.folder, 'nowhere')]);
    expectFailure(nowhere, { code: 1, message: /the build context .*nowhere is not there/, hint: /folder/ });
    const missing = ocits.context({ Dockerfile: 'FROM busybox\nCOPY package.jsn /\n', 'package.json': '{}' });
    expectFailure(await ocits.run(['build', missing]), {
      code: 1,
      message: /Dockerfile:2:6: .*package\.jsn/,
      hint: /package\.json/,
    });
  });

  test('with a step that fails, or a command that is not there', async () => {
    const failing = ocits.context({ Dockerfile: 'FROM busybox\nRUN no-such-command\n' });
    const { code, stderr } = await ocits.run(['build', '--network', 'none', failing]);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^ocits: .*Dockerfile:2: .* exit code: 127$/);
    const exec = ocits.context({ Dockerfile: 'FROM busybox\nRUN ["no-such-command"]\n' });
    expect((await ocits.run(['build', '--network', 'none', exec])).stderr).toMatch(
      /^ocits: .*"no-such-command" was not found/m,
    );
  });
});

describe('run', () => {
  test('with mounts elsewhere is one message, too; a mount that has the command is none', async () => {
    const folder = join(ocits.folder, 'tools');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'tool'), '#!/bin/sh\necho from the mount\n', { mode: 0o755 });
    expectFailure(await run('-v', `${folder}:/data`, '--tmpfs', '/tmp', 'busybox', 'tool'), {
      code: 127,
      message: /"tool" was not found/,
      hint: /PATH/,
    });
    for (const target of ['/usr/local/bin', '/usr/local']) {
      const inside = target === '/usr/local' ? ocits.folder : folder;
      const path = target === '/usr/local' ? '/usr/local/tools' : target;
      expect(
        await run('-v', `${inside}:${target}`, '-e', `PATH=${path}:/bin`, 'busybox', 'tool'),
      ).toMatchObject({ code: 0, stdout: 'from the mount\n' });
    }
  });

  test('of a command that is not there or no program: 127 and 126', async () => {
    const notFound = {
      code: 127,
      message: /the command "[^"]+" was not found in the container/,
      hint: /image's PATH/,
    };
    expectFailure(await run('busybox', 'no-such-command'), notFound);
    expectFailure(await run('busybox', '/no/such/command'), notFound);
    expectFailure(await run('--entrypoint', 'nope', 'busybox'), notFound);
    expectFailure(await run('--privileged', 'busybox', 'nope'), notFound);
    expectFailure(await run('-w', '/tmp', 'busybox', './nope'), notFound);
    const noProgram = {
      code: 126,
      message: /the command "[^"]+" cannot be executed: Permission denied/,
      hint: /execute permission/,
    };
    expectFailure(await run('busybox', '/etc/passwd'), noProgram);
    expectFailure(await run('busybox', '/etc'), noProgram);
    expectFailure(await run('-w', '/etc', 'busybox', './passwd'), noProgram);
    expect(await run('-w', '/bin', 'busybox', './echo', 'here')).toMatchObject({ code: 0, stdout: 'here\n' });
  });

  test('exec: the same, and in a container that does not run', async () => {
    await ocits.ok('run', '-d', '--network', 'none', '--name', 'web', 'busybox', 'sleep', '100');
    const results = [
      await ocits.run(['exec', 'web', 'nope']),
      await ocits.run(['exec', 'web', '/etc/passwd']),
    ];
    await ocits.ok('kill', 'web');
    await ocits.ok('wait', 'web');
    results.push(await ocits.run(['exec', 'web', 'true']));
    await ocits.ok('rm', '-f', 'web');
    expectFailure(results[0]!, { code: 127, message: /"nope" was not found/, hint: /PATH/ });
    expectFailure(results[1]!, { code: 126, message: /cannot be executed/, hint: /permission/ });
    expectFailure(results[2]!, { code: 1, message: /container web is not running/, hint: /ocits start web/ });
  });

  test.each<[string, string[], RegExp]>([
    ['an unknown flag', ['--no-such-flag', 'busybox'], /unknown flag: --no-such-flag/],
    ['a size that is none', ['--memory', 'lots', 'busybox'], /"lots" is not a size such as 512m/],
    ['a port that is none', ['-p', '1:99999', 'busybox'], /invalid port "1:99999"/],
    ['a mount that is none', ['-v', '/a:b:c:d', 'busybox'], /invalid volume/],
    ['a relative working directory', ['-w', 'x', 'busybox'], /not an absolute path/],
    ['an unknown user', ['-u', 'nobody-here', 'busybox'], /is not in the image's \/etc\/passwd/],
    ['an unknown capability', ['--cap-add', 'EVERYTHING', 'busybox'], /EVERYTHING/],
    ['a name that is taken', ['--name', '/etc', 'busybox'], /name/],
  ])('with %s: 125', async (_what, args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout, stderr }).toMatchObject({
      code: 125,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
    expect(stderr.match(/^ocits: /gm)).toHaveLength(1);
  });
});

test('too few arguments and too many: 1, as with Docker', async () => {
  expect(await ocits.run(['run', '--rm'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/takes at least 1 argument[\s\S]*ocits run --help/),
  });
  expect(await ocits.run(['ps', 'x'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/takes no arguments/),
  });
});

describe('a file of --env-file', () => {
  /** As it is installed: by its first line. */
  const program = join(import.meta.dirname, '../../bin/ocits.js');
  const run = (file: string, ...args: string[]) =>
    spawnSync(program, ['run', '--rm', '--network', 'none', '--env-file', file, 'busybox', ...args], {
      encoding: 'utf8',
      env: ocits.env,
    });

  test('is the container’s, and not the one of the Node that runs ocits', () => {
    const file = join(ocits.folder, 'own.env');
    writeFileSync(file, 'NODE_OPTIONS=--no-such-option\n');
    const { status, stdout } = run(file, 'sh', '-c', 'echo $NODE_OPTIONS');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '--no-such-option\n' });
  });

  test('that is not there is told by ocits', () => {
    const { status, stderr } = run('/nowhere', 'true');
    expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringMatching(/^ocits: .*\/nowhere/) });
  });
});

test('an unknown command or object is named', async () => {
  expect(await ocits.run(['--frobnicate'])).toMatchObject({
    code: 125,
    stderr: expect.stringMatching(/^ocits: unknown flag: --frobnicate/),
  });
  expect(await ocits.run(['frobnicate'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^ocits: 'frobnicate' is not an ocits command/),
  });
  expect(await ocits.run(['image', 'frob'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("'image frob'"),
  });
  for (const command of ['start', 'stop', 'rm', 'logs', 'kill', 'wait', 'port', 'top', 'restart']) {
    expectFailure(await ocits.run([command, 'nothing']), {
      code: 1,
      message: /No such container: nothing/,
      hint: /ocits ps --all/,
    });
  }
  expectFailure(await ocits.run(['rmi', 'nothing']), {
    code: 1,
    message: /No such image: nothing/,
    hint: /ocits pull nothing/,
  });
});
