/** Bundles ocits into dist/ and writes oclif.manifest.json. `npm run build` */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { writeManifest } from './manifest.ts';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

// CommonJS packages in an ES module bundle look for these names.
const COMMONJS = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __fileURLToPath(new URL('.', import.meta.url));`;

/**
 * What `@oclif/core` loads for its plugins, its spinner and its own help, none of which ocits uses: a quarter of the
 * time that a command takes to start. In the bundle they are empty; what would use one fails at once.
 */
const UNUSED_OF_OCLIF = [
  'ansi-escapes',
  'clean-stack',
  'cli-spinners',
  'ejs',
  'indent-string',
  'lilconfig',
  'minimatch',
];
const MORE_UNUSED = ['string-width', 'tinyglobby', 'widest-line', 'wrap-ansi', 'wsl-utils'];
const EMPTY = join(root, 'scripts/empty-package.cjs');

const WORKERS = ['src/snapshotter/overlay/overlay-worker.ts'];

/**
 * An ES module that imports node:http reads all its exports, and one of them loads Node's own fetch: 30 ms that no
 * command needs. So the HTTP library gets the module without that, and node:https (with TLS) when it first sends by it.
 */
const LATE_HTTP: Plugin = {
  name: 'late-http',
  setup(bundle) {
    const modules: Readonly<Record<string, string>> = {
      http: "export default process.getBuiltinModule('node:http');",
      https: `const load = () => process.getBuiltinModule('node:https');
        export default { request: (...args) => load().request(...args), get Agent() { return load().Agent; } };`,
    };
    bundle.onResolve({ filter: /^node:https?$/ }, ({ path, importer }) =>
      importer.includes('/node_modules/node-fetch/')
        ? { path: path.slice('node:'.length), namespace: 'late-http' }
        : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'late-http' }, ({ path }) => ({ contents: modules[path]! }));
  },
};

rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts', 'src/index.ts', ...WORKERS].map((path) => ({
    in: path,
    out: path.slice(path.lastIndexOf('/') + 1, -3),
  })),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'chunk-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node22',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'external',
  alias: Object.fromEntries([...UNUSED_OF_OCLIF, ...MORE_UNUSED].map((name) => [name, EMPTY])),
  plugins: [LATE_HTTP],
  define: { OCITS_VERSION: JSON.stringify(version) },
  banner: { js: COMMONJS },
  logLevel: 'warning',
});
writeFileSync(
  join(root, 'oclif.manifest.json'),
  `${JSON.stringify(await writeManifest(version), null, 2)}\n`,
);
