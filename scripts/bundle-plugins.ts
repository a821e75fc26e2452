import { builtinModules } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * What packages load and ocits never uses: oclif's plugins, spinner, readline and help, and a polyfill of what Node
 * has. It is a third of the time that a command takes to start. In the bundle it is empty.
 */
const UNUSED: readonly (readonly [importer: RegExp, path: RegExp])[] = [
  [/./, /^(ansi-escapes|clean-stack|cli-spinners|ejs|indent-string|lilconfig|minimatch)$/],
  [/./, /^(string-width|tinyglobby|widest-line|wrap-ansi|wsl-utils)$/],
  [/./, /^web-streams-polyfill\//],
  [/\/@oclif\/core\//, /^(debug|node:readline)$/],
  [/\/@oclif\/core\/lib\/(command|flags)\.js$/, /^\.\/(config|help|ux)$/],
  [/\/@oclif\/core\/lib\/errors\//, /^\.\.\/help\/index$/],
  [/\/@oclif\/core\/lib\/flags\.js$/, /^\.\/util\/fs$/],
  [/\/@oclif\/core\/lib\/parser\/help\.js$/, /^\.\.\/ux$/],
  [/\/@oclif\/core\/lib\/(parser|errors)\//, /\/(screen|ux\/list|ux\/theme)$/],
];

export const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  setup(bundle) {
    bundle.onResolve({ filter: /.*/ }, ({ path, importer }) =>
      UNUSED.some(([from, what]) => from.test(importer) && what.test(path))
        ? { path, namespace: 'unused' }
        : undefined,
    );
    // oclif makes a logger by `debug` as it is loaded, and has a colour for a list of faults.
    bundle.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = () => () => {}; module.exports.colorize = (_, text) => text;',
    }));
  },
};

/** Those of Node's own modules that it has not loaded when a program starts, and that take a millisecond and more. */
const SLOW = new Set([
  ...[
    'child_process',
    'crypto',
    'dgram',
    'fs/promises',
    'http',
    'https',
    'net',
    'readline/promises',
    'stream/promises',
  ],
  ...['timers/promises', 'tls', 'tty', 'v8', 'worker_threads', 'zlib'],
]);

/**
 * Imports of Node's own modules: of the slow ones each is loaded when it is first used, which for most commands is
 * never, since an import statement would load what any file of the bundle names.
 */
export const loadBuiltinsLate: Plugin = {
  name: 'load-builtins-late',
  setup(bundle) {
    bundle.onResolve({ filter: /.*/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '');
      if (!builtinModules.includes(name)) return undefined;
      return { path: name, namespace: kind === 'import-statement' ? 'imported-builtin' : 'required-builtin' };
    });
    bundle.onLoad({ filter: /.*/, namespace: 'required-builtin' }, ({ path }) => ({
      contents: `module.exports = ${builtin(path)};`,
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'imported-builtin' }, ({ path }) => ({
      contents: importedBuiltin(path),
    }));
  },
};

function builtin(name: string): string {
  return `process.getBuiltinModule('node:${name}')`;
}

/**
 * esbuild copies the own properties of such a module for each file that imports it, and gives the copy the same
 * prototype. So everything is put into the prototype: there is nothing to copy, and a value is looked up when it is used.
 */
function importedBuiltin(name: string): string {
  if (SLOW.has(name)) {
    return `module.exports = Object.create(new Proxy({}, {
      get(_, key, copy) {
        const value = ${builtin(name)}[key];
        Object.defineProperty(copy, key, { value });
        return value;
      },
    }));`;
  }
  const isPlainObject = typeof process.getBuiltinModule(name) === 'object' && name !== 'process';
  return `module.exports = ${isPlainObject ? `Object.create(${builtin(name)})` : builtin(name)};`;
}
