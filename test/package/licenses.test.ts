import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { bundledLicenses } from '../../scripts/licenses.ts';

const root = mkdtempSync(join(tmpdir(), 'ocits-licenses-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Makes a package, and gives the path of a file in it. */
function made(path: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, path);
  mkdirSync(folder, { recursive: true });
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const manifest = { name, version: '1.2.3', license: 'MIT' };
  for (const [file, text] of Object.entries({ 'package.json': JSON.stringify(manifest), ...files })) {
    writeFileSync(join(folder, file), text);
  }
  return `${path}/lib/index.js`;
}

function bundleOf(...paths: readonly string[]): Metafile {
  const inputs = Object.fromEntries(paths.map((path) => [path, { bytesInOutput: 1 }]));
  return { inputs: {}, outputs: { 'dist/main.cjs': { bytes: 1, inputs, imports: [], exports: [] } } };
}

test('each package is named once, with its text, wherever it lies and whatever its file is called', () => {
  const paths = [
    made('node_modules/one', { LICENSE: 'the text of one' }),
    made('node_modules/@scope/two', { 'license.md': 'the text of two' }),
    made('node_modules/one/node_modules/three', {
      'README.md': '# three\n\n## License\n\nthe text of three',
    }),
  ];
  const text = bundledLicenses(root, [bundleOf('src/main.ts', ...paths), bundleOf(...paths)]);
  const headings = text.match(/^.* 1\.2\.3 \(MIT\)$/gm);
  expect(headings).toEqual(['@scope/two', 'one', 'three'].map((name) => `${name} 1.2.3 (MIT)`));
  for (const name of ['one', 'two', 'three']) expect(text.split(`the text of ${name}`)).toHaveLength(2);
});

test('a package without a text, or without the name of its licence, fails the build', () => {
  const bare = made('node_modules/bare', { 'README.md': '# bare\n' });
  expect(() => bundledLicenses(root, [bundleOf(bare)])).toThrow('node_modules/bare has no licence');
  const unnamed = made('node_modules/unnamed', { LICENSE: 'text', 'package.json': '{"name":"unnamed"}' });
  expect(() => bundledLicenses(root, [bundleOf(unnamed)])).toThrow('node_modules/unnamed has no licence');
});
