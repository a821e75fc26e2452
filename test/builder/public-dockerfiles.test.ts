import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Image } from '../../src/image/image.ts';
import { hostPlatform } from '../../src/oci/platform.ts';
import { type BuildOptions, buildHost, type TestBuildHost } from '../support/builder/build-host.ts';

const CASES = new URL('../../testdata/dockerfile/valid/', import.meta.url).pathname;
const CONTEXT = {
  'src/version': 'v9\n',
  'src/main.c': 'int main;\n',
  'src/drop.c': '',
  'src/deep/a.log': '',
  'docs/readme.md': 'read me\n',
  'docs/generated/x': '',
};

let made: TestBuildHost;
beforeAll(async () => {
  made = await buildHost();
  for (const [path, content] of Object.entries(CONTEXT)) {
    const full = join(made.context, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
  }
});
afterAll(async () => {
  await made[Symbol.asyncDispose]();
});

/** Builds one of the golden Dockerfiles that are made of what well-known public ones use. */
async function build(name: string, options: BuildOptions = {}): Promise<Image> {
  const text = readFileSync(join(CASES, `public-${name}`, 'Dockerfile'), 'utf8');
  return await made.build(text, { ...options, noCache: true });
}

const lines = () => made.output().trimEnd().split('\n').sort();

test('an engine: a stage named by a variable, mounts without a target, links between stages', async () => {
  const image = await build('engine');
  const { os, architecture } = hostPlatform();
  expect(lines()).toEqual(['755', 'from the none of the file', 'kind=static', `xx ${os}/${architecture}`]);
  expect(image.config.config).toMatchObject({
    Entrypoint: ['hack/dind'],
    Env: expect.arrayContaining(['GOTOOLCHAIN=local', 'GO111MODULE=off']),
  });
  await build('engine', { target: 'binary-unsupported' });
  expect(lines()).toEqual(['']);
  await build('engine', { buildArgs: { BUILD_KIND: 'dynamic' } });
  expect(lines()).toContain('kind=dynamic');
});

test('a builder: comments and empty lines in a command, here-documents, patterns in variables', async () => {
  const image = await build('builder');
  const shown = ['-X main.Version=v9', '-X main.Version=v9', '/release/app/.version', '/release/app/app'];
  expect(lines().filter((line) => !line.includes('darwin'))).toEqual(shown);
  expect(lines().filter((line) => line.includes('darwin'))).toEqual(['/release/darwin/with space']);
  expect(image.config.config).toMatchObject({
    Volumes: { '/var/lib/app': {} },
    Env: [expect.stringMatching(/^PATH=\/opt\/bin:\/usr/), 'APP_SETUP_CGROUPV2_ROOT=1'],
  });
  await build('builder', { target: 'runc' });
  expect(lines()).toEqual(['version-1.3.3']);
});

test('a client: bases by a variable, mounts over mounts, --parents with --exclude', async () => {
  await build('client');
  expect(lines()).toEqual(['/work/docs/readme.md', '/work/src/main.c', '/work/src/version']);
  const image = await build('client', { target: 'bin-image', buildArgs: { BASE_VARIANT: 'debian' } });
  expect(lines()).toEqual(['debian static', 'docs', 'read me', 'src']);
  expect(image.config.config).toMatchObject({
    StopSignal: 'SIGQUIT',
    Labels: {
      'org.opencontainers.image.title': 'client',
      'org.opencontainers.image.vendor': 'Some "One"',
      'multi.line': 'first second',
    },
    Healthcheck: { Test: ['CMD', '/version', '--check'], Retries: 3, StartInterval: 5e9 },
  });
});

test('a plugin: read-only caches, several here-documents of one COPY, --link with --chown', async () => {
  await build('plugin');
  expect(made.output()).toBe(
    '.*\\(Dockerfile\\|\\.go\\|\\.hcl\\)\n0 /usr/bin\n1000 /usr/bin/app\n#!/bin/sh\necho "not expanded: $1"\nplain \\n text\n',
  );
  await build('plugin', { target: 'test' });
  expect(lines()).toEqual(['v9']);
});

test('an orchestrator: triggers, scripts, every form of expansion', async () => {
  const image = await build('orchestrator', { buildArgs: { EXTRA: 'given' } });
  expect(lines()).toEqual([
    '600',
    'first',
    'script in /dev/pipes',
    'second',
    'triggered given',
    'with tests',
  ]);
  expect(image.config.config).toMatchObject({
    Env: expect.arrayContaining([
      'A=1 and more words',
      'B=12',
      'C=set',
      'D=a default',
      'E=1, more words',
      'F=1',
      'G=1_and_more_words',
    ]),
    ExposedPorts: { '80/tcp': {}, '12/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
    User: '12:1',
    WorkingDir: '/work',
    Cmd: ['echo', '$A'],
  });
});

test('a backtick that escapes', async () => {
  await build('windows');
  expect(made.output()).toBe('one\ntwo three\na\\b\n');
});
