import { builtinModules } from 'node:module';
import type { Plugin } from 'esbuild';
import { EMPTY_MODULE, LEFT_OUT_OF_OCLIF } from '../src/cli/oclif/left-out.ts';

/**
 * What packages load and ocits never uses. In the bundle it is empty. Of fetch-blob this is what serves old Nodes,
 * which have no streams of the web and no Blob.stream, and to look for those would load them; and what makes blobs of
 * files.
 */
const UNUSED = [
  ...LEFT_OUT_OF_OCLIF,
  [/\/fetch-blob\//, /^\.\/streams\.cjs$/],
  [/\/node-fetch\/src\/index\.js$/, /^fetch-blob\/from\.js$/],
] as const;

export const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  setup(bundle) {
    bundle.onResolve({ filter: /.*/ }, ({ path, importer }) =>
      UNUSED.some(([from, what]) => from.test(importer) && what.test(path))
        ? { path, namespace: 'unused' }
        : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: EMPTY_MODULE }));
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
