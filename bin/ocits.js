#!/usr/bin/env -S node --
// Without the --, Node reads the files of `run --env-file` for options of its own, and fails where one is missing.
// No imports, so that an old Node gets as far as the message below.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(`ocits needs Node 22.15 or newer, and this is ${process.versions.node}\n`);
  process.exit(1);
}
const fs = process.getBuiltinModule('node:fs');
const path = process.getBuiltinModule('node:path');
const vm = process.getBuiltinModule('node:vm');
const { createRequire } = process.getBuiltinModule('node:module');

await runScript(path.join(import.meta.dirname, '../dist/main.cjs')).program().ended;

/**
 * Runs the bundle as `require` does, with the machine code's source that an earlier run of the same command left:
 * Node's own compile cache keeps only what is compiled while a file is loaded, and not what is compiled as it is used.
 */
function runScript(filename) {
  const code = fs.readFileSync(filename, 'latin1');
  const stamp = code.slice(2, 66);
  const place = keptCodePlace(process.argv[2]);
  const cachedData = place && readKeptCode(place, stamp);
  const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${code}\n})`, {
    filename,
    cachedData,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (place && (!cachedData || script.cachedDataRejected)) {
    const resumeFlushing = holdCode();
    process.once('exit', (status) => {
      resumeFlushing();
      // What a failed command has used is no measure of what the next one needs.
      if (status === 0) keepCode(place, stamp, script.createCachedData());
    });
  }
  const module = { exports: {} };
  script.runInThisContext()(
    module.exports,
    createRequire(filename),
    module,
    filename,
    path.dirname(filename),
  );
  return module.exports;
}

/**
 * V8 throws code away that has not run for some collections of garbage, such as the whole of the bundle's outermost
 * function after a pull. It is not to be thrown away before it is kept. The flag must be as it was by then, since code
 * counts only where flags are the same.
 */
function holdCode() {
  const v8 = process.getBuiltinModule('node:v8');
  v8.setFlagsFromString('--no-flush-bytecode');
  return () => v8.setFlagsFromString('--flush-bytecode');
}

/** A file in the user's own folder: whoever else could write it would let the user run theirs. */
function keptCodePlace(command) {
  const { XDG_CACHE_HOME, HOME, NODE_DISABLE_COMPILE_CACHE } = process.env;
  const cache = XDG_CACHE_HOME || (HOME && path.join(HOME, '.cache'));
  if (!cache || NODE_DISABLE_COMPILE_CACHE) return undefined;
  return path.join(cache, 'ocits', /^[a-z]{1,20}$/.test(command) ? `${command}.code` : 'other.code');
}

function readKeptCode(place, stamp) {
  let file;
  try {
    file = fs.openSync(place, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    const { uid, mode } = fs.fstatSync(file);
    if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
    const kept = fs.readFileSync(file);
    return kept.subarray(-64).toString('latin1') === stamp ? kept.subarray(0, -64) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

/** Best effort: a command that cannot keep its code starts more slowly, and that is all. */
function keepCode(place, stamp, code) {
  try {
    const folder = path.dirname(place);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    // As root with another user's HOME, nothing of root's is left there.
    if (fs.statSync(folder).uid !== process.geteuid?.()) return;
    removeUnfinished(folder);
    const whole = `${place}.${process.pid}`;
    fs.writeFileSync(whole, Buffer.concat([code, Buffer.from(stamp, 'latin1')]), {
      mode: 0o600,
      flush: true,
    });
    fs.renameSync(whole, place);
  } catch {}
}

/** What commands that were killed have left beside the kept code. */
function removeUnfinished(folder) {
  for (const name of fs.readdirSync(folder)) {
    const [, pid] = /^[a-z]{1,20}\.code\.(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !fs.existsSync(`/proc/${pid}`))
      fs.rmSync(path.join(folder, name), { force: true });
  }
}
