import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';
import { copyProject } from '../support/program/project-copy.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'ocits-package-'));
const tarball = join(folder, 'ocits.tgz');

beforeAll(() => {
  const copy = join(folder, 'copy');
  copyProject(copy);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: copy });
  execFileSync('mv', [...readdirSync(folder).filter((name) => name.endsWith('.tgz')), tarball], {
    cwd: folder,
  });
  execFileSync('tar', ['-xzf', tarball], { cwd: folder });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function packed(name: string): string {
  return readFileSync(join(folder, 'package', name), 'utf8');
}

describe('the tarball', () => {
  test('has the program once, the licences, the documents, and nothing else', () => {
    const names = readdirSync(join(folder, 'package'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, 'package/').length));
    expect(
      names.filter((name) => !name.startsWith('dist/types/') && !name.startsWith('docs/')).sort(),
    ).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/ocits.js',
      'dist/THIRD-PARTY-LICENSES.txt',
      'dist/feed-thread.js',
      'dist/index.js',
      'dist/main.cjs',
      'dist/overlay-worker.js',
      'oclif.manifest.json',
      'package.json',
    ]);
    expect(
      names
        .filter((name) => name.startsWith('docs/'))
        .map((name) => name.slice('docs/'.length))
        .sort(),
    ).toEqual(readdirSync(join(ROOT, 'docs')).sort());
    expect(names).toContain('dist/types/index.d.ts');
    expect(packed('dist/index.js').length).toBeLessThan(1000);
  });

  test('says where the project lives, and what it runs on', () => {
    const { repository, bugs, keywords, engines, os, dependencies } = JSON.parse(packed('package.json'));
    expect(repository.url).toMatch(/^git\+https:/);
    expect(bugs.url).toMatch(/^https:/);
    expect(keywords.length).toBeGreaterThan(3);
    expect({ engines, os, dependencies }).toEqual({ engines: { node: '>=22.15' }, os: ['linux'] });
  });

  test('has the licence of each package that is bundled', () => {
    const [, section = ''] = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8').split(/^## .*$/m);
    const named = [...section.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) => [
      ...cell!.matchAll(/`(.*?)`/g),
    ]);
    const licenses = packed('dist/THIRD-PARTY-LICENSES.txt');
    expect(named.length).toBeGreaterThan(5);
    for (const [, name] of named) expect(licenses).toMatch(new RegExp(`^${name} [0-9.]+ \\(`, 'm'));
  });
});

describe('on a bare Debian with Node', () => {
  let ocits: CommandLine;
  beforeAll(async () => {
    ocits = await CommandLine.open(['node']);
  });
  afterAll(async () => await ocits?.[Symbol.asyncDispose]());

  /** Runs a script of bash in a container of that Debian, with no network and with the tarball. */
  async function onDebian(script: string): Promise<string> {
    const mount = ['-v', `${tarball}:/ocits-0.tgz:ro`];
    return await ocits.ok('run', '--rm', '--network', 'none', ...mount, 'node', 'bash', '-ec', script);
  }

  test('npm installs it, and it says what is missing', async () => {
    const output = await onDebian(`
      npm install --global --offline /ocits-0.tgz >&2
      ocits --version
      ocits system check && exit 1 || echo "exit code $?"`);
    expect(output).toMatch(/^ocits version \d+\.\d+\.\d+\n/);
    expect(output).toMatch(/^crun +missing +.*apt-get install crun$/m);
    expect(output).toMatch(/exit code 1\n$/);
  });

  test('a Dockerfile without RUN is built, by the command and by the library', async () => {
    const output = await onDebian(`
      mkdir /app; cd /app
      echo '{ "private": true }' > package.json
      npm install --offline /ocits-0.tgz >&2
      printf 'FROM scratch\\nCOPY package.json /\\n' > Dockerfile
      npx ocits build -q .
      echo "import { build, images } from 'ocits';
        const { id } = await build('.');
        console.log(id === (await images({ all: true }))[0].id ? id : 'another image');" > build.mjs
      node build.mjs`);
    expect(output).toMatch(/^(sha256:[0-9a-f]{64})\n\1\n$/);
  });
});
