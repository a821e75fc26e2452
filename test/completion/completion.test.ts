import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completeCommand } from '../../src/cli/completion/candidates.ts';
import { completeLine, type ReadNames } from '../../src/cli/completion/complete-line.ts';
import { COMPLETION_SCRIPTS, SHELLS } from '../../src/cli/completion/scripts.ts';
import { COMMANDS, HIDDEN_COMMANDS } from '../../src/command-table.ts';
import { completionFile } from '../../src/commands/completion/script-file.ts';
import { runOcits } from '../support/program/run-ocits.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
let folder: string;

/** A store with a container, images, a volume and a file in the working folder, made by hand; `ocits` is on PATH. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocits-completion-'));
  const root = join(folder, 'root');
  for (const path of ['docker.io/library/node/_tags/22', 'localhost:5000/me/app/_tags/1']) {
    mkdirSync(join(root, 'refs', dirname(path)), { recursive: true });
    writeFileSync(join(root, 'refs', path), '{}');
  }
  mkdirSync(join(root, 'refs/docker.io/library/node/_digests'));
  writeFileSync(join(root, `refs/docker.io/library/node/_digests/sha256-${'0'.repeat(64)}`), '{}');
  for (const path of [
    'refs/_nameless',
    'containers/by-name',
    'volumes/data',
    'volumes/.lock',
    'bin',
    'work/sub',
  ])
    mkdirSync(join(path.startsWith('b') || path.startsWith('work') ? folder : root, path), {
      recursive: true,
    });
  writeFileSync(join(root, 'refs/_nameless/x'), '{}');
  symlinkSync('../x', join(root, 'containers/by-name/web'));
  writeFileSync(join(folder, 'work/Dockerfile'), '');
  writeFileSync(join(folder, 'bin/ocits'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(join(folder, 'bin/ocits'), 0o755);
  for (const shell of SHELLS) writeFileSync(join(folder, shell), COMPLETION_SCRIPTS[shell]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a shell prints, a line each, sorted. */
function inShell(program: string, args: readonly string[]): string[] {
  const env = {
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
    HOME: folder,
    OCITS_ROOT: join(folder, 'root'),
    OCITS_RUN: join(folder, 'run'),
  };
  const output = execFileSync(program, args, { env, cwd: join(folder, 'work'), encoding: 'utf8' });
  return output
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** COMPREPLY for a line with the cursor at its end, divided as bash divides it. */
function inBash(line: string): string[] {
  const script = `source ${folder}/bash; complete -p ocits >/dev/null || exit 1
    COMP_LINE=$1; COMP_POINT=\${#1}; _ocits; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inShell('bash', ['--norc', '-c', script, 'bash', line]);
}

describe('bash', () => {
  test.each([
    ['ocits ru', ['run']],
    ['ocits volume p', ['prune']],
    ['ocits run --pu', ['--publish', '--publish-all', '--pull']],
    ['ocits run --pull ', ['always', 'missing', 'never']],
    // What is in front of the last "=" or ":" is on the line already.
    ['ocits run --pull=a', ['always']],
    ['ocits run node:', ['22']],
    ['ocits rmi localhost:5000/', ['5000/me/app:1']],
    ['ocits run -d --name x --network ', ['bridge', 'host', 'none']],
    ['ocits logs ', ['web']],
    ['ocits volume rm ', ['data']],
    ['ocits build -f ', ['Dockerfile', 'sub']],
    ['ocits run -v ', ['Dockerfile', 'data', 'sub']],
    ['ocits exec web ', ['Dockerfile', 'sub']],
    ['ocits --debug ps --al', ['--all']],
    ['ocits nosuch ', []],
  ])('%s', (line, words) => {
    expect(inBash(line)).toEqual(words);
  });
});

test('fish', () => {
  const complete = (line: string) =>
    inShell('fish', ['--no-config', '-c', `source ${folder}/fish; complete -C '${line}'`]);
  expect(complete('ocits run node:')).toEqual(['node:22']);
  expect(complete('ocits ps --al')).toEqual(['--all\talso containers that do not run']);
  expect(complete('ocits build -f Do').map((line) => line.split('\t')[0])).toEqual(['Dockerfile']);
});

test('zsh', () => {
  // Its own functions that show candidates need a terminal: theirs are printed.
  const script = `compdef() { print -r -- "compdef $*" }
    _describe() { print -rl -- "\${(@P)4}" }
    _files() { print files }
    source ${folder}/zsh
    words=(ocits "$@"); CURRENT=$#words; _ocits`;
  const complete = (...words: string[]) => inShell('zsh', ['-f', '-c', script, 'zsh', ...words]);
  expect(complete('run', 'node')).toEqual(['compdef _ocits ocits', 'node\\:22:node:22']);
  expect(complete('ps', '--al')).toContain('--all:also containers that do not run');
  expect(complete('build', '-f', '')).toContain('files');
});

describe('candidates', () => {
  const names: ReadNames = (of) => [`one-of-${of}`];
  const complete = (...words: string[]) =>
    completeLine(words, { commands: COMMANDS, hidden: HIDDEN_COMMANDS }, names);

  test.each([
    [
      ['container', 'st'],
      ['start', 'stop'],
    ],
    [['container', 'clean'], []],
    [['run', '-it', ''], ['one-of-images']],
    [['run', '-e', ''], []],
    [['run', '-eX=1', ''], ['one-of-images']],
    [['run', '-ie', ''], []],
    [['run', '--env', 'A=b', ''], ['one-of-images']],
    [['run', 'node', '--al'], [':files']],
    [['ps', '--', '--al'], []],
    [['stop', 'a', ''], ['one-of-containers']],
    [['port', 'a', ''], []],
    [
      ['inspect', ''],
      ['one-of-containers', 'one-of-images'],
    ],
    [['network', 'inspect', ''], ['one-of-networks']],
    [['run', '--network', ''], ['one-of-networks']],
    [['run', '--net', ''], ['one-of-networks']],
    [
      ['run', '-v', ''],
      ['one-of-volumes', ':files'],
    ],
    [['run', '--cidfile', ''], [':files']],
    [['run', '--device', ''], [':files']],
    [['run', '--label-file', ''], [':files']],
    [['exec', '--env-file', ''], [':files']],
    [['build', '--iidfile', ''], [':files']],
    [['build', '--metadata-file', ''], [':files']],
    [['load', '-i', ''], [':files']],
    [['save', '-o', ''], [':files']],
    [['export', '-o', ''], [':files']],
    [['run', '--rest'], []],
    [['run', '--nosuch', ''], ['one-of-images']],
    [['toString', ''], []],
  ])('%j', async (words, lines) => {
    expect((await complete(...words)).map((line) => line.split('\t')[0])).toEqual(lines);
  });

  test('what a flag names is said by its entry, whatever its name is', () => {
    const entry = { form: 'one', names: ['images', 'files'] } as const;
    const command = { interspersed: true, flags: { any: { entry } } };
    const places = [{ kind: 'names', of: 'images' }, { kind: 'files' }];
    expect(completeCommand(command, ['--any', ''])).toEqual({ candidates: [], places });
  });

  test('every command shows its flags, and each has a word of what it is for', async () => {
    for (const id of Object.keys(COMMANDS)) {
      const lines = await complete(...id.split(':'), '-');
      expect(
        lines.every((line) => /^--[a-z-]+\t./.test(line)),
        id,
      ).toBe(true);
    }
    expect(await complete('run', '-')).toContain('--memory\tmemory limit, such as 512m');
  });

  test('the commands that are hidden are those that say so', async () => {
    const loaded = await Promise.all(
      Object.entries(COMMANDS).map(async ([id, load]) => {
        return [id, ((await load()).default as { readonly hidden?: boolean }).hidden === true] as const;
      }),
    );
    expect(loaded.filter(([, hidden]) => hidden).map(([id]) => id)).toEqual([...HIDDEN_COMMANDS]);
  });
});

test('a store that is not there has no names, and is not made', async () => {
  const empty = join(folder, 'empty');
  expect(await runOcits(empty, ['__complete', 'run', ''])).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(() => readFileSync(join(empty, 'root'))).toThrow('ENOENT');
});

test('a script is printed, and installed where its shell looks', async () => {
  expect((await runOcits(folder, ['completion', 'bash'])).stdout).toBe(COMPLETION_SCRIPTS.bash);
  const env = { HOME: '/home/me' };
  expect(completionFile('bash', env, false).path).toBe(
    '/home/me/.local/share/bash-completion/completions/ocits',
  );
  expect(completionFile('bash', env, true).path).toBe('/etc/bash_completion.d/ocits');
  expect(completionFile('zsh', env, false).path).toBe('/home/me/.local/share/zsh/site-functions/_ocits');
  expect(completionFile('fish', { ...env, XDG_CONFIG_HOME: '/c' }, false).path).toBe(
    '/c/fish/completions/ocits.fish',
  );
  const { code, stderr } = await runOcits(folder, ['completion', 'install', 'tcsh']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('bash, zsh, fish') });
});
