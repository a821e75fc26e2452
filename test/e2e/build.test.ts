import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';
import { isRunning, ownSleep } from '../support/program/processes.ts';

let ocits: CommandLine;
beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
}, 300_000);
afterAll(() => ocits[Symbol.asyncDispose]());

const build = (args: readonly string[], options: Parameters<CommandLine['run']>[1] = {}) =>
  ocits.run(['build', '--network', 'none', ...args], options);

describe('ocits build', () => {
  it('prints steps on standard error as BuildKit does, and nothing on standard output', async () => {
    const context = ocits.context({ Dockerfile: 'FROM busybox\nCOPY f /f\nRUN cat f\n', f: 'hello\n' });
    const { code, stdout, stderr } = await build(['-t', 'one', '-t', 'two:2', context]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^#1 \[internal\] load build definition from /);
    expect(stderr).toContain('] FROM docker.io/library/busybox:latest\n');
    expect(stderr).toContain('[2/3] COPY f /f\n');
    expect(stderr).toMatch(/^#\d+ \d+\.\d{3} hello$/m);
    expect(stderr).toMatch(/^#\d+ writing image sha256:[0-9a-f]{64} done$/m);
    expect(stderr).toMatch(/^#\d+ naming to docker.io\/library\/two:2 done$/m);
    expect(await ocits.ok('run', '--rm', '--network', 'none', 'two:2', 'cat', '/f')).toBe('hello\n');
    const again = await build(['-t', 'one', context]);
    expect(again.stderr.match(/CACHED/g)).toHaveLength(3);
  });

  it('-q prints the ID alone, --iidfile and --metadata-file keep it', async () => {
    const context = ocits.context({ Dockerfile: 'FROM busybox\nARG A\nLABEL a=$A\n' });
    const iid = join(ocits.folder, 'iid');
    const metadata = join(ocits.folder, 'metadata.json');
    const files = ['--iidfile', iid, '--metadata-file', metadata];
    const { stdout, stderr } = await build(['-q', '--build-arg', 'A', ...files, context], {
      env: { A: 'x' },
    });
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(stderr).toBe('');
    expect(readFileSync(iid, 'utf8')).toBe(stdout.trim());
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toMatchObject({
      'containerimage.config.digest': stdout.trim(),
    });
    const label = ['inspect', '--format', '{{.Config.Labels.a}}', stdout.trim()];
    expect(await ocits.ok(...label)).toBe('x\n');
  });

  it('shows the step, its last output and the lines at fault where a RUN fails', async () => {
    const context = ocits.context({ Dockerfile: 'FROM busybox\nRUN echo oops >&2; \\\n  exit 3\n' });
    const { code, stderr } = await build([context]);
    expect(code).toBe(1);
    const [, block] = stderr.split('------\n', 2);
    expect(block).toBe(' > [2/2] RUN echo oops >&2;   exit 3:\noops\n');
    expect(stderr).toContain('   2 | >>> RUN echo oops >&2; \\\n   3 | >>>   exit 3\n');
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /Dockerfile:2: process "\/bin\/sh -c echo oops >&2; {3}exit 3" did not complete successfully: exit code: 3$/,
    );
  });

  it('takes the Dockerfile from standard input, a context as an archive, or both in one', async () => {
    const context = ocits.context({
      f: 'from the context\n',
      'Other.df': 'FROM busybox\nCOPY f /f\nRUN cat f\n',
    });
    const input = 'FROM busybox\nCOPY f /g\nRUN cat g\n';
    expect((await build(['-f', '-', context], { input })).stderr).toContain('from the context');
    const archive = execFileSync('tar', ['-C', context, '-cz', '.']);
    expect((await build(['-f', 'Other.df', '-'], { input: archive })).stderr).toContain('from the context');
    expect((await build(['-'], { input: 'FROM busybox\nRUN echo alone\n' })).stderr).toContain('alone');
  });

  it('tells what is wrong before anything is done', async () => {
    const empty = ocits.context({});
    const cases: [string[], RegExp][] = [
      [[empty], /there is no Dockerfile in/],
      [[join(empty, 'nowhere')], /is not there/],
      [['--squash', empty], /--squash is not there yet/],
      [['-t', 'UPPER', empty], /must be lowercase/],
      [['--build-arg', '=x', empty], /has no name/],
      [['--push', empty], /--push needs a name/],
      [['https://host.invalid/x.git'], /cannot build from/],
      [[], /takes 1 argument/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await build(args);
      expect(stderr).toMatch(message);
      expect(code).not.toBe(0);
    }
  });

  it('a secret, an extra host and a limit reach RUN', async () => {
    writeFileSync(join(ocits.folder, 'token'), 'hunter2');
    const context = ocits.context({
      Dockerfile: `FROM busybox
RUN --mount=type=secret,id=t cat /run/secrets/t; echo; grep db /etc/hosts; ulimit -n; df -k /dev/shm | tail -1
`,
    });
    const flags = ['--secret', `id=t,src=${join(ocits.folder, 'token')}`, '--add-host', 'db:10.9.8.7'];
    const { stderr } = await build([...flags, '--ulimit', 'nofile=99:100', '--shm-size', '8m', context]);
    expect(stderr).toMatch(/ hunter2\n.* 10\.9\.8\.7\tdb\n.* 99\n.* shm +8192 /);
  });

  it('pushes what it has built, and is pulled again', async () => {
    const context = ocits.context({ Dockerfile: 'FROM busybox\nRUN echo pushed > /f\n' });
    const name = `${ocits.registry.host}/me/pushed:1`;
    const { code, stderr } = await build(['--push', '-t', name, context]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await ocits.ok('rmi', name);
    expect(await ocits.ok('run', '--rm', '--network', 'none', name, 'cat', '/f')).toBe('pushed\n');
  });

  it('Ctrl-C ends it with 130, and leaves nothing', async () => {
    const sleep = ownSleep();
    const context = ocits.context({ Dockerfile: `FROM busybox\nRUN echo begun && ${sleep}\n` });
    const child = ocits.start(['build', '--network', 'none', context]);
    await new Promise<void>((resolve) => {
      child.stderr!.on('data', (chunk: Buffer) => {
        if (/\d begun/.test(chunk.toString())) resolve();
      });
    });
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(130);
    expect(isRunning(sleep)).toBe(false);
    expect(readdirSync(join(ocits.folder, 'root/builds'))).toEqual([]);
  });

  it('builder prune forgets the cache', async () => {
    const context = ocits.context({ Dockerfile: 'FROM busybox\nRUN echo cached > /f\n' });
    await build([context]);
    expect(await ocits.ok('builder', 'prune', '-af')).toContain('[2/2] RUN echo cached > /f');
    expect((await build([context])).stderr).toMatch(
      /\[2\/2\] RUN echo cached > \/f\n(?:#\d+ cache miss.*\n)?#\d+ DONE/,
    );
  });
});
