import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createConmonSupervisor } from '../../src/runtime/conmon/conmon-supervisor.ts';
import type { StartRequest } from '../../src/runtime/supervisor.ts';
import { type ContainerHost, containerHost } from '../support/container/container-host.ts';
import { shellWords, TerminalSession } from '../support/container/terminal-session.ts';

const SUPPORT = join(import.meta.dirname, '../support/container');
const INHERITED = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;
const NONE = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
/** Gives a shell device nodes of its own in the host's place, which a fault may spoil; `$2` is an empty folder. */
const OWN_NODES = `mount -t tmpfs none "$2"
for name in null zero full tty; do cp -a /dev/$name "$2/"; mount --bind "$2/$name" /dev/$name; done`;
const STATE = 'stat -c "%n %f %u %g %t:%T" /dev/null /dev/zero /dev/full /dev/tty >>"$1"; echo end >>"$1"';
/** What each descriptor is open on, then an attempt on each file behind them. */
const GRAB = `for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done
for fd in 0 1 2; do chown 4321 /proc/$$/fd/$fd; chmod 601 /proc/$$/fd/$fd; done`;
const UID = 1234;

let host: ContainerHost;
let sleeper: StartRequest;
beforeAll(async () => {
  host = await containerHost();
  sleeper = host.request({ process: { args: ['sleep', '3000'] } }, { stdio: NONE });
  await createConmonSupervisor(host.paths).start(sleeper);
});
afterAll(() => host[Symbol.asyncDispose]());

interface Asked {
  readonly uid?: number;
  readonly stdio?: StartRequest['stdio'];
}

type Kind = 'run' | 'exec';
let count = 0;

/** The command line of a program that runs `script` in a container on its own descriptors. */
function command(kind: Kind, script: string, { uid = 0, stdio = INHERITED }: Asked = {}): readonly string[] {
  const changed = { args: ['sh', '-c', script], uid };
  const file = join(host.folder, `request-${count++}.json`);
  if (kind === 'run') {
    writeFileSync(file, JSON.stringify(host.request({ process: changed }, { stdio })));
    return [process.execPath, join(SUPPORT, 'run-container.ts'), file, host.paths.run];
  }
  const { folder, spec } = sleeper;
  const inside = { ...spec.process, ...changed };
  const request = { containerId: spec.id, folder, security: spec.security, process: inside, stdio };
  writeFileSync(file, JSON.stringify(request));
  return [process.execPath, join(SUPPORT, 'run-exec.ts'), file, host.paths.run];
}

/** Runs it below a shell, with these redirections; what comes out of the shell, its code, and its device nodes. */
async function redirected(words: readonly string[], redirections: string) {
  const [state, nodes] = [join(host.folder, `state-${count++}`), mkdtempSync(join(host.folder, 'nodes-'))];
  const script = `${OWN_NODES}\n${STATE}; s=$1; shift 2; "$@" ${redirections}\ncode=$?; set -- "$s"; ${STATE}; exit $code`;
  const args = ['--mount', '--propagation', 'slave', 'bash', '-c', script, 'sh', state, nodes, ...words];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: host.folder });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await ended;
  const [before, after] = readFileSync(state, 'utf8').split('end\n');
  expect(after).toBe(before);
  return { stdout, stderr, code };
}

function owners(paths: readonly string[]): readonly string[] {
  return paths.map((path) => {
    const { mode, uid, gid, rdev } = statSync(path);
    return `${path} ${mode} ${uid} ${gid} ${rdev}`;
  });
}

function fresh(name: string, content = ''): string {
  const path = join(host.folder, `${name}-${count++}`);
  writeFileSync(path, content, { mode: 0o640 });
  chmodSync(path, 0o640);
  return path;
}

describe.each(['run', 'exec'] as const)('%s', (kind) => {
  test.each([0, UID])("files and devices on the descriptors stay the host's own, as user %i", async (uid) => {
    const [input, log, both] = [fresh('in', 'typed\n'), fresh('log'), fresh('both')];
    const fifo = join(host.folder, `fifo-${count++}`);
    execFileSync('mkfifo', ['-m', '600', fifo]);
    const files = [input, log, both, fifo];
    const before = owners(files);
    const run = (redirections: string) => redirected(command(kind, GRAB, { uid }), redirections);
    await run(`<${input} >>${log} 2>>${both}`);
    await run(`</dev/null >/dev/null 2>/dev/null`);
    await run(`</dev/zero >/dev/full 2>/dev/zero`);
    await run(`<${input} >${both} 2>&1`);
    await run(`< <(:) > >(cat >/dev/null) 2>${fifo} & cat ${fifo}; wait`);
    await redirected(command(kind, GRAB, { uid, stdio: NONE }), '');
    expect(owners(files)).toEqual(before);
    const seen = readFileSync(log, 'utf8').split('\n').slice(0, 3);
    for (const name of seen) expect(name).toMatch(/^pipe:|\/\.stdio-/);
  });

  test('a terminal of ours is not one of the container', async () => {
    const folder = fresh('tty');
    const script = `test -t 0 || test -t 1 || test -t 2 || echo none; read line; echo got $line; ${GRAB}`;
    execFileSync('rm', [folder]);
    execFileSync('mkdir', [folder]);
    const session = new TerminalSession(
      folder,
      `exec ${shellWords(command(kind, script.replaceAll("'", '')))}`,
    );
    onTestFinished(() => session[Symbol.dispose]());
    await session.shows('none\r\n');
    const before = session.settings();
    session.type('a line\r');
    await session.shows('got a line');
    await session.ended;
    expect(session.screen).not.toMatch(/\/dev\/(?:pts|tty)/);
    expect(before).toMatch(/ icanon/);
  });

  test('standard output and error in one file keep their order', async () => {
    const log = fresh('log');
    const script = 'i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done';
    await redirected(command(kind, script), `>>${log} 2>&1`);
    const expected = Array.from({ length: 200 }, (_, i) => `out ${i}\nerr ${i}\n`).join('');
    expect(readFileSync(log, 'utf8')).toBe(expected);
  });

  test('200 MB arrive in a file, and the input is read from one', async () => {
    const [input, output] = [fresh('in'), fresh('out')];
    execFileSync('truncate', ['-s', '200M', input]);
    expect(await redirected(command(kind, 'cat'), `<${input} >${output}`)).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(statSync(output).size).toBe(200 * 1024 * 1024);
    execFileSync('rm', [input, output]);
  });

  test('what cannot be written is an error that says why', async () => {
    const { code, stderr } = await redirected(command(kind, 'trap "" PIPE; echo lost; exit 0'), '>/dev/full');
    expect(stderr).toContain('cannot be written to our stdout: No space left on device');
    expect(code).not.toBe(0);
  });
});

test('an exec ends with its process, though another one holds its output, which still arrives', async () => {
  const log = fresh('log');
  const go = 'rm -f /tmp/go; (while [ ! -e /tmp/go ]; do sleep 0.02; done; echo late) & echo early';
  expect(await redirected(command('exec', go), `>>${log} 2>&1`)).toMatchObject({ code: 0 });
  expect(readFileSync(log, 'utf8')).toBe('early\n');
  await redirected(command('exec', 'touch /tmp/go'), '');
  await expect.poll(() => readFileSync(log, 'utf8'), { timeout: 20_000 }).toBe('early\nlate\n');
});

test('a container that has no null device of its own gets none of ours', async () => {
  const target = fresh('target');
  const before = owners([target]);
  for (const make of [`ln -s ${target} /dev/null`, 'mknod /dev/null c 1 7', 'mkfifo /dev/null']) {
    await redirected(
      command('exec', `rm -f /dev/null; busybox ${make}`, { stdio: { ...NONE, stderr: 'inherit' } }),
      '',
    );
    const script = 'read line; echo out; readlink /proc/$$/fd/0';
    const ignoring = command('exec', script, { uid: UID, stdio: { ...INHERITED, stdin: 'ignore' } });
    const result = await redirected(ignoring, '2>/dev/null');
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^out\n.*\/\.stdio-/) });
  }
  expect(owners([target])).toEqual(before);
  await redirected(command('exec', 'rm -f /dev/null; busybox mknod -m 666 /dev/null c 1 3'), '');
});
