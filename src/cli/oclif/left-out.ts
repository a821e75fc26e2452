/**
 * What oclif loads and ocits never uses: plugins, spinner, readline, help, and the packages that only they need. It is
 * a third of the time that a command takes to start, so the bundle has an empty module in each one's place. From
 * sources all of oclif runs. `test/cli/oclif.test.ts` fails where a newer oclif loads other things.
 */
export const LEFT_OUT_OF_OCLIF: readonly (readonly [importer: RegExp, path: RegExp])[] = [
  [/./, /^(ansi-escapes|clean-stack|cli-spinners|ejs|indent-string|lilconfig|minimatch)$/],
  [/./, /^(string-width|tinyglobby|widest-line|wrap-ansi|wsl-utils)$/],
  [/\/@oclif\/core\//, /^(debug|node:readline)$/],
  [/\/@oclif\/core\/lib\/(command|flags)\.js$/, /^\.\/(config|help|ux)$/],
  [/\/@oclif\/core\/lib\/errors\//, /^\.\.\/help\/index$/],
  [/\/@oclif\/core\/lib\/flags\.js$/, /^\.\/util\/fs$/],
  [/\/@oclif\/core\/lib\/parser\/help\.js$/, /^\.\.\/ux$/],
  [/\/@oclif\/core\/lib\/(parser|errors)\//, /\/(screen|ux\/list|ux\/theme)$/],
];

/** The empty module. oclif makes a logger by `debug` as it is loaded, and has a colour for a list of faults. */
export const EMPTY_MODULE = 'module.exports = () => () => {}; module.exports.colorize = (_, text) => text;';
