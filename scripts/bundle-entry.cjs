/** What dist/main.cjs gives: the command and the library, of which each is evaluated when it is asked for. */
exports.program = () => require('../src/main.ts');
exports.library = () => require('../src/index.ts');
