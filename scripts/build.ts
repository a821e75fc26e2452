/** Bundles ocits into dist/ and writes oclif.manifest.json. `npm run build` */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import * as library from '../src/index.ts';
import { leaveOutUnused, loadBuiltinsLate } from './bundle-plugins.ts';
import { bundledLicenses } from './licenses.ts';
import { writeManifest } from './manifest.ts';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

// CommonJS packages in an ES module bundle look for these names.
const COMMONJS = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __fileURLToPath(new URL('.', import.meta.url));`;

const COMMON = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node22',
  minifySyntax: true,
  minifyWhitespace: true,
  // They are in THIRD-PARTY-LICENSES.txt.
  legalComments: 'none',
  metafile: true,
  plugins: [leaveOutUnused, loadBuiltinsLate],
  logLevel: 'warning',
} satisfies BuildOptions;
const VERSION = { OCITS_VERSION: JSON.stringify(version) };

rmSync(join(root, 'dist'), { recursive: true, force: true });
// A script and not an ES module, since only of scripts Node can keep the compiled code of what a run has used.
const main = await build({
  ...COMMON,
  entryPoints: [{ in: 'scripts/bundle-entry.cjs', out: 'main' }],
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  define: { ...VERSION, 'import.meta.url': '__url' },
  banner: { js: "const __url = require('node:url').pathToFileURL(__filename).href;" },
});
finish(join(root, 'dist/main.cjs'));
// The threads' parts by themselves: to read the whole program would take each thread ten milliseconds.
const worker = await build({
  ...COMMON,
  entryPoints: [
    { in: 'src/snapshotter/overlay-worker.ts', out: 'overlay-worker' },
    { in: 'src/layer/compress/feed-thread.ts', out: 'feed-thread' },
  ],
  format: 'esm',
  define: VERSION,
  banner: { js: COMMONJS },
});
writeFileSync(
  join(root, 'dist/index.js'),
  `import { createRequire } from 'node:module';
export const { ${Object.keys(library).sort().join(', ')} } = createRequire(import.meta.url)('./main.cjs').library();
`,
);
writeFileSync(
  join(root, 'dist/THIRD-PARTY-LICENSES.txt'),
  bundledLicenses(root, [main.metafile, worker.metafile]),
);
writeFileSync(
  join(root, 'oclif.manifest.json'),
  `${JSON.stringify(await writeManifest(version), null, 2)}\n`,
);

/**
 * Makes it plain ASCII, which takes half the memory (esbuild leaves other characters only in regular expressions), and
 * writes a first line that differs for other code: by it bin/ocits.js knows whether kept code is of this file.
 */
function finish(path: string): void {
  const code = readFileSync(path, 'utf8').replaceAll(
    /[^\x00-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  writeFileSync(path, `//${createHash('sha256').update(code).digest('hex')}\n${code}`);
}
