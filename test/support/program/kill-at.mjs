// Loaded by `node --import` before a program that a test kills: at the change of the file system whose number is in
// OCITS_TEST_KILL_AT. What it has changed before is there, and nothing else. Without a number it tells, on standard
// error, how many changes there were.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CHANGES = ['rename', 'rm', 'rmdir', 'symlink', 'unlink', 'writeFile'];
const killAt = Number(process.env.OCITS_TEST_KILL_AT ?? 0);
let changes = 0;

function counted(target, name) {
  const original = target[name];
  target[name] = (...args) => {
    changes++;
    if (changes === killAt) process.kill(process.pid, 'SIGKILL');
    return original.apply(target, args);
  };
}

for (const name of CHANGES) {
  counted(fs.promises, name);
  counted(fs, `${name}Sync`);
}
syncBuiltinESMExports();
if (killAt === 0) process.once('exit', () => process.stderr.write(`changes: ${changes}\n`));
