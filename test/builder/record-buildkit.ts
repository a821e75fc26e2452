import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BASE, COPY_CASES, makeContext, tarOf } from '../support/builder/copy-fixture.ts';
import { IGNORE_CASES, makeIgnoreContext } from '../support/builder/ignore-fixture.ts';

/** Builds each case with Docker's BuildKit, and writes down what its layer has: testdata/copy/README.md. */
type Result = readonly string[] | 'error';

write('buildkit.json', COPY_CASES, (lines, context) => {
  makeContext(context);
  writeFileSync(join(context, 'base.tar'), tarOf(BASE));
  return `FROM scratch AS base\nADD base.tar /\nFROM base\n${lines}\n`;
});
const ignoreFiles = IGNORE_CASES.map((lines) => lines.join('\n'));
write('dockerignore.json', ignoreFiles, (content, context) => {
  makeIgnoreContext(context);
  writeFileSync(join(context, '..', 'Dockerfile.dockerignore'), content);
  return 'FROM scratch\nCOPY . /\n';
});

/** One case a line. */
function write(
  name: string,
  cases: readonly string[],
  prepare: (one: string, context: string) => string,
): void {
  const lines = cases.map((one) => {
    return `${JSON.stringify(one)}: ${JSON.stringify(record((context) => prepare(one, context)))}`;
  });
  const output = new URL(`../../testdata/copy/${name}`, import.meta.url).pathname;
  writeFileSync(output, `{\n${lines.join(',\n')}\n}\n`);
}

function record(prepare: (context: string) => string): Result {
  const folder = mkdtempSync(join(tmpdir(), 'record-buildkit-'));
  try {
    const context = join(folder, 'context');
    mkdirSync(context);
    const dockerfile = join(folder, 'Dockerfile');
    writeFileSync(dockerfile, prepare(context));
    const build = docker(['build', '--no-cache', '-f', dockerfile, '-t', 'recorded', context]);
    if (build.status !== 0) return 'error';
    const saved = docker(['save', 'recorded']).stdout;
    mkdirSync(join(folder, 'image'));
    spawnSync('tar', ['x', '-C', join(folder, 'image')], { input: saved });
    return layerLines(join(folder, 'image'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function docker(args: readonly string[]) {
  const env = { ...process.env, DOCKER_BUILDKIT: '1' };
  return spawnSync('docker', args, { env, maxBuffer: 2 ** 28 });
}

/** The last layer's entries, by way of Python's tar reader, which shares nothing with what is tested. */
function layerLines(image: string): readonly string[] {
  const script = `
import json, sys, tarfile
manifest = json.load(open('manifest.json'))[0]
tar = tarfile.open(manifest['Layers'][-1])
for e in tar:
    kind = {b'0': 'f', b'1': 'h', b'2': 'l', b'5': 'd'}[e.type]
    text = '=' + tar.extractfile(e).read().decode('latin1') if kind == 'f' else '->' + e.linkname if kind in 'lh' else ''
    print(json.dumps(f'{kind} {e.mode & 0o7777:o} {e.uid}:{e.gid} {e.name}{text}'))
`;
  const { stdout } = spawnSync('python3', ['-c', script], { cwd: image, encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as string);
}
