// Run as `node fail-with.mjs ERRNO FOLDER MODE`, with command lines as JSON on standard input: runs each in this
// process, while the system refuses what is done with files below FOLDER, and prints what each has said, as JSON.
// MODE `changes`: each change fails; `reads`: each look, too.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';

const [, , errno, folder, mode] = process.argv;
const CHANGES = ['mkdir', 'rename', 'rm', 'rmdir', 'symlink', 'unlink', 'writeFile', 'chmod', 'link'];
const READS = ['readFile', 'readdir', 'stat', 'lstat', 'readlink', 'access'];

function refuse(syscall, path) {
  const message = `${errno}: refused by the test, ${syscall} '${path}'`;
  const number = -(constants.errno[errno] ?? 1);
  return Object.assign(new Error(message), { code: errno, errno: number, syscall, path });
}

let isRefusing = false;
const concerns = (args) => isRefusing && args.slice(0, 2).some((arg) => String(arg).startsWith(folder));

function refusing(target, name, isAsync) {
  const original = target[name];
  const syscall = name.replace('Sync', '');
  target[name] = (...args) => {
    const isOpening = syscall === 'open' && mode === 'changes' && (args[1] ?? 'r') === 'r';
    if (!concerns(args) || isOpening) return original.apply(target, args);
    const error = refuse(syscall, String(args[0]));
    if (isAsync) return Promise.reject(error);
    throw error;
  };
}

for (const name of [...CHANGES, 'open', ...(mode === 'reads' ? READS : [])]) {
  refusing(fs.promises, name, true);
  refusing(fs, `${name}Sync`, false);
}
syncBuiltinESMExports();

const { runProgram } = await import('../../../src/cli/main-program.ts');
const { COMMANDS } = await import('../../../src/command-table.ts');
const { openEngine } = await import('../../../src/open-engine.ts');
const program = {
  version: '0',
  commands: COMMANDS,
  openEngine,
  complete: async () => {},
  showHelp: async () => {},
};
const results = [];
const write = process.stderr.write.bind(process.stderr);
process.stdout.write = () => true;
for (const args of JSON.parse(await text(process.stdin))) {
  let stderr = '';
  process.stderr.write = (chunk) => {
    stderr += chunk;
    return true;
  };
  process.exitCode = 0;
  isRefusing = true;
  await runProgram(args, program);
  isRefusing = false;
  results.push({ args, code: process.exitCode, stderr });
}
process.stderr.write = write;
fs.writeSync(1, JSON.stringify(results));
process.exit(0);
